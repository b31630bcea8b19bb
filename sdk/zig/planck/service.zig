// SPDX-License-Identifier: Apache-2.0
//! What a service declares, and what the host calls. Service() writes the manifest (docs/ABI.md) into
//! the module's custom section `planck.manifest` while it is compiled.
const std = @import("std");
const bson = @import("bson.zig");
const host = @import("host.zig");
const memory = @import("memory.zig");
const requests = @import("request.zig");

const abi_version = 1;

pub const Store = struct {
    name: []const u8,
    key_type: enum { uuid, int64, object_id, string } = .uuid,
};

pub const Index = struct { store: []const u8, name: []const u8, field: []const u8 };

pub const Route = struct {
    method: requests.Method,
    pattern: []const u8,
    call: *const fn (request: *requests.Request) void,
};

pub const Options = struct {
    name: []const u8,
    version: []const u8,
    stores: []const Store = &.{},
    indexes: []const Index = &.{},
    routes: []const Route,
    /// Runs once per instance, before the first request. What it allocates stays.
    init: ?*const fn (config: bson.Document) void = null,
};

pub fn get(comptime pattern: []const u8, comptime handler: anytype) Route {
    return route(.GET, pattern, handler);
}
pub fn post(comptime pattern: []const u8, comptime handler: anytype) Route {
    return route(.POST, pattern, handler);
}
pub fn put(comptime pattern: []const u8, comptime handler: anytype) Route {
    return route(.PUT, pattern, handler);
}
pub fn patch(comptime pattern: []const u8, comptime handler: anytype) Route {
    return route(.PATCH, pattern, handler);
}
pub fn delete(comptime pattern: []const u8, comptime handler: anytype) Route {
    return route(.DELETE, pattern, handler);
}

/// A handler is `fn (request: *Request, …) void` or returns an error union. Its further parameters
/// are those of the pattern, in order: texts, integers, Uuid, enums. One that is not of its type is
/// answered with 400; an error that the handler returns as failWith() says.
pub fn route(comptime method: requests.Method, comptime pattern: []const u8, comptime handler: anytype) Route {
    const types = @typeInfo(@TypeOf(handler)).@"fn".param_types;
    if (types.len != 1 + parameterCount(pattern))
        @compileError("the handler of \"" ++ pattern ++ "\" does not have one parameter for each of the pattern's");
    const Caller = struct {
        fn call(request: *requests.Request) void {
            var args: std.meta.ArgsTuple(@TypeOf(handler)) = undefined;
            args[0] = request;
            inline for (types[1..], 0..) |T, index| {
                args[index + 1] = requests.convert(T.?, request.param(index)) orelse
                    return request.fail(400, "invalid", "a parameter of the path is not of its type");
            }
            const result = @call(.auto, handler, args);
            if (@typeInfo(@TypeOf(result)) == .error_union) result catch |problem| failWith(request, problem);
        }
    };
    return .{ .method = method, .pattern = pattern, .call = Caller.call };
}

fn parameterCount(comptime pattern: []const u8) usize {
    var count: usize = 0;
    for (pattern[1..], pattern[0 .. pattern.len - 1]) |c, before| {
        if (before == '/' and (c == ':' or c == '*')) count += 1;
    }
    return count;
}

/// The errors of this library have their status and code; others are a 500, with their name in the log.
fn failWith(request: *requests.Request, problem: anyerror) void {
    const message = bson.last_error;
    switch (problem) {
        error.Malformed => request.fail(400, "malformed", message),
        error.Invalid => request.fail(400, "invalid", message),
        error.NotFound => request.fail(404, "not_found", message),
        error.DuplicateKey => request.fail(409, "duplicate_key", message),
        error.Conflict => request.fail(409, "conflict", message),
        error.TooLarge => request.fail(413, "too_large", message),
        else => {
            host.log.err("the handler failed: {s} {s}", .{ @errorName(problem), message });
            request.fail(500, "internal", "the request could not be handled");
        },
    }
}

// ---- the manifest

/// The lines of the manifest, as an argument of the assembler's .ascii.
fn manifest(comptime options: Options) []const u8 {
    var lines: []const u8 = line("service", &.{ "name", options.name, "version", options.version });
    for (options.stores) |store|
        lines = lines ++ line("store", &.{ "name", store.name, "key_type", @tagName(store.key_type) });
    for (options.indexes) |index|
        lines = lines ++ line("index", &.{ "store", index.store, "name", index.name, "field", index.field });
    for (options.routes) |one|
        lines = lines ++ line("route", &.{ "method", @tagName(one.method), "path", one.pattern });
    return lines;
}

fn line(comptime kind: []const u8, comptime members: []const []const u8) []const u8 {
    var text: []const u8 = "{" ++ quoted(kind) ++ ": {";
    for (members, 0..) |member, index| {
        text = text ++ (if (index == 0) "" else if (index % 2 == 0) ", " else ": ") ++ quoted(member);
    }
    return text ++ "}}\\n";
}

fn quoted(comptime text: []const u8) []const u8 {
    for (text) |c| {
        if (c < 0x20 or c == '"' or c == '\\') @compileError("in the manifest: a character that needs an escape");
    }
    return "\\\"" ++ text ++ "\\\"";
}

// ---- what the host calls

var current: requests.Request = undefined; // an instance handles one at a time

/// In the root file: `comptime { _ = planck.Service(.{ … }); }`
pub fn Service(comptime options: Options) type {
    return struct {
        comptime {
            @setEvalBranchQuota(1_000_000);
            asm (".section .custom_section.planck.manifest,\"\",@\n.ascii \"" ++ manifest(options) ++ "\"\n.text\n");
            @export(&abiVersion, .{ .name = "planck_abi_version" });
            @export(&allocateBuffer, .{ .name = "planck_alloc" });
            @export(&start, .{ .name = "init" });
            @export(&process, .{ .name = "process" });
        }

        fn abiVersion() callconv(.c) i32 {
            return abi_version;
        }

        // Never called during a request. Twice the size of the buffer before, if that can be had: the
        // earlier ones, which stay where they are, are then together no larger than the last.
        fn allocateBuffer(size: u32) callconv(.c) ?[*]u8 {
            const Kept = struct {
                var buffer: []u8 = &.{};
            };
            memory.reset();
            if (Kept.buffer.len == 0 or size > Kept.buffer.len) {
                const wanted = @max(size, Kept.buffer.len *| 2);
                Kept.buffer = memory.tryAllocate(wanted) orelse memory.tryAllocate(size) orelse return null;
                memory.keep();
            }
            return Kept.buffer.ptr;
        }

        fn start(config: [*]const u8, size: u32) callconv(.c) i32 {
            const initialize = options.init orelse return 0;
            memory.reset();
            const kept = memory.allocate(size); // the host's buffer is of the next request
            @memcpy(kept, config[0..size]);
            initialize(.{ .bytes = kept });
            memory.keep();
            return 0;
        }

        fn process(data: [*]const u8, size: u32) callconv(.c) i32 {
            memory.reset();
            bson.last_error = "";
            current = .{ .data = data[0..size] };
            if (size < requests.minimal_size or current.version() != abi_version)
                host.abort("the request is not one of ABI 1");
            const index = current.routeIndex();
            if (index >= options.routes.len) host.abort("the request is for a route that there is not");
            options.routes[index].call(&current);
            current.send();
            return 0;
        }
    };
}
