// SPDX-License-Identifier: Apache-2.0
//! The boundary: what the module imports from its host (docs/ABI.md).
const std = @import("std");
const memory = @import("memory.zig");

pub const imports = struct {
    pub extern "planck" fn host_request(packet: [*]const u8, len: u32, dst: [*]u8, cap: u32) u64;
    pub extern "planck" fn host_wait(dst: [*]u8, cap: u32) u64;
    pub extern "planck" fn host_reply_read(offset: u32, dst: [*]u8, cap: u32) u32;
    pub extern "planck" fn host_body_read(dst: [*]u8, cap: u32) i32;
    pub extern "planck" fn host_respond(response: *const Response, len: u32) void;
    pub extern "planck" fn host_log(level: u32, text: [*]const u8, len: u32) void;
    pub extern "planck" fn host_now_ns() i64;
    pub extern "planck" fn host_random(dst: [*]u8, len: u32) void;
    pub extern "planck" fn host_abort(reason: [*]const u8, len: u32) void;
};

/// In a result of host_request: the reply comes by host_wait.
pub const pending: u64 = 1 << 62;

pub const Header = extern struct { name: [*]const u8, name_len: u32, value: [*]const u8, value_len: u32 };

pub const Response = extern struct {
    status: u16,
    header_count: u16,
    headers: [*]const Header,
    body: [*]const u8,
    body_len: u32,
    zero: [16]u8 = @splat(0),
};

comptime {
    std.debug.assert(@sizeOf(Response) == 32);
}

pub fn abort(reason: []const u8) noreturn {
    imports.host_abort(reason.ptr, reason.len);
    @trap();
}

fn panicked(message: []const u8, _: ?usize) noreturn {
    abort(message);
}
pub const panic = std.debug.FullPanic(panicked);

pub const Level = enum(u32) { debug, info, warn, err };

/// `log.info("{d} rows", .{count})`; at most 4 KiB of a message are kept by the host.
pub const log = struct {
    pub fn debug(comptime format: []const u8, args: anytype) void {
        print(.debug, format, args);
    }
    pub fn info(comptime format: []const u8, args: anytype) void {
        print(.info, format, args);
    }
    pub fn warn(comptime format: []const u8, args: anytype) void {
        print(.warn, format, args);
    }
    pub fn err(comptime format: []const u8, args: anytype) void {
        print(.err, format, args);
    }
    pub fn text(level: Level, message: []const u8) void {
        imports.host_log(@backingInt(level), message.ptr, message.len);
    }
    fn print(level: Level, comptime format: []const u8, args: anytype) void {
        text(level, std.fmt.allocPrint(memory.allocator, format, args) catch abort("out of memory"));
    }
};

/// Milliseconds since 1970.
pub fn nowMs() i64 {
    return @divFloor(imports.host_now_ns(), 1_000_000);
}

/// Cryptographic random bytes.
pub fn random(bytes: []u8) void {
    const once = 1 << 16; // the host gives no more than 1 MiB a call
    var rest = bytes;
    while (rest.len > 0) {
        const count = @min(rest.len, once);
        imports.host_random(rest.ptr, count);
        rest = rest[count..];
    }
}
