// SPDX-License-Identifier: Apache-2.0
//! Building documents: straight into one buffer of the arena, without an allocation per field.
const std = @import("std");
const bson = @import("bson.zig");
const host = @import("host.zig");
const memory = @import("memory.zig");

const depth_max = 32; // of nested documents and arrays

const Level = struct { start: usize, is_array: bool, count: u32 = 0 };

pub const Builder = struct {
    buffer: memory.Buffer = .{},
    depth: usize = 0,
    levels: [depth_max]Level = undefined,

    pub fn init() Builder {
        return initBehind(.{});
    }

    pub fn initArray() Builder {
        var builder: Builder = .{};
        builder.open(true);
        return builder;
    }

    /// Begins a document behind what the buffer holds.
    pub fn initBehind(buffer: memory.Buffer) Builder {
        var builder: Builder = .{ .buffer = buffer };
        builder.open(false);
        return builder;
    }

    /// Adds a field; in arrays the name is ignored. Values: texts, integers, floats, bool, null,
    /// optionals, enums (by name), Date, Uuid, Binary, Document, Array, Value, structs (as
    /// documents), tuples, arrays and slices (as arrays).
    pub fn add(builder: *Builder, name: []const u8, value: anytype) void {
        const T = @TypeOf(value);
        switch (T) {
            bson.Value => return builder.addValue(name, value),
            bson.Document => return builder.addBytes(name, .document, value.bytes),
            bson.Array => return builder.addBytes(name, .array, value.bytes),
            bson.Date => return builder.addInt(name, .date, value.ms),
            bson.Uuid => return builder.addBinary(name, bson.uuid_subtype, &value.bytes),
            bson.Binary => return builder.addBinary(name, value.subtype, value.bytes),
            else => {},
        }
        switch (@typeInfo(T)) {
            .null => builder.element(name, .null),
            .bool => {
                builder.element(name, .boolean);
                builder.buffer.appendByte(@intFromBool(value));
            },
            .int, .comptime_int => builder.addInt(name, .int64, value),
            .float, .comptime_float => builder.addInt(name, .double, @bitCast(@as(f64, value))),
            .optional => if (value) |some| builder.add(name, some) else builder.element(name, .null),
            .@"enum", .enum_literal => builder.addText(name, @tagName(value)),
            .@"struct" => |info| {
                builder.begin(name, if (info.is_tuple) .array else .document);
                inline for (info.field_names) |field| builder.add(field, @field(value, field));
                builder.end();
            },
            .array => builder.addSlice(name, &value),
            .pointer => if (comptime isText(T)) builder.addText(name, value) else builder.addSlice(name, value),
            else => @compileError("a document cannot hold " ++ @typeName(T)),
        }
    }

    pub fn begin(builder: *Builder, name: []const u8, kind: enum { document, array }) void {
        builder.element(name, if (kind == .array) .array else .document);
        builder.open(kind == .array);
    }

    pub fn end(builder: *Builder) void {
        if (builder.depth <= 1) host.abort("Builder.end: nothing was begun");
        builder.close();
    }

    pub fn finish(builder: *Builder) bson.Document {
        if (builder.depth != 1) host.abort("Builder.finish: something inside was not ended");
        builder.close();
        return .{ .bytes = builder.buffer.seal() };
    }

    /// What was built so far, closed in a copy, so that more can be added.
    pub fn copyClosed(builder: *const Builder) []const u8 {
        var copy = builder.*;
        copy.buffer = .{};
        copy.buffer.append(builder.buffer.bytes());
        while (copy.depth > 0) copy.close();
        return copy.buffer.seal();
    }

    pub fn addBytes(builder: *Builder, name: []const u8, kind: bson.Type, bytes: []const u8) void {
        builder.element(name, kind);
        builder.buffer.append(bytes);
    }

    pub fn close(builder: *Builder) void {
        builder.depth -= 1;
        builder.buffer.appendByte(0);
        const start = builder.levels[builder.depth].start;
        const size: u32 = @intCast(builder.buffer.size - start);
        std.mem.writeInt(u32, builder.buffer.data[start..][0..4], size, .little);
    }

    fn open(builder: *Builder, is_array: bool) void {
        if (builder.depth == depth_max) host.abort("documents are nested too deep");
        builder.levels[builder.depth] = .{ .start = builder.buffer.size, .is_array = is_array };
        builder.depth += 1;
        builder.buffer.appendInt(u32, 0);
    }

    fn element(builder: *Builder, name: []const u8, kind: bson.Type) void {
        if (builder.depth == 0) host.abort("a document that was finished is added to");
        const level = &builder.levels[builder.depth - 1];
        builder.buffer.appendByte(@backingInt(kind));
        if (level.is_array) {
            builder.buffer.appendDecimal(level.count);
            level.count += 1;
        } else {
            if (std.mem.findScalar(u8, name, 0) != null) host.abort("a field's name has a NUL");
            builder.buffer.append(name);
        }
        builder.buffer.appendByte(0);
    }

    fn addInt(builder: *Builder, name: []const u8, kind: bson.Type, value: i64) void {
        builder.element(name, kind);
        builder.buffer.appendInt(i64, value);
    }

    fn addText(builder: *Builder, name: []const u8, value: []const u8) void {
        builder.element(name, .text);
        builder.buffer.appendInt(u32, @intCast(value.len + 1));
        builder.buffer.append(value);
        builder.buffer.appendByte(0);
    }

    fn addBinary(builder: *Builder, name: []const u8, subtype: u8, bytes: []const u8) void {
        builder.element(name, .binary);
        builder.buffer.appendInt(u32, @intCast(bytes.len));
        builder.buffer.appendByte(subtype);
        builder.buffer.append(bytes);
    }

    fn addSlice(builder: *Builder, name: []const u8, values: anytype) void {
        builder.begin(name, .array);
        for (values) |value| builder.add("", value);
        builder.end();
    }

    fn addValue(builder: *Builder, name: []const u8, value: bson.Value) void {
        switch (value) {
            .null => builder.element(name, .null),
            .object_id => |id| builder.addBytes(name, .object_id, id),
            .other => |other| builder.addBytes(name, other.type, other.payload),
            inline else => |some| builder.add(name, some),
        }
    }
};

/// Whether T is a view of, or a pointer to an array of, bytes.
pub fn isText(comptime T: type) bool {
    const info = @typeInfo(T).pointer;
    if (info.size == .slice) return info.child == u8;
    return switch (@typeInfo(info.child)) {
        .array => |array| array.child == u8,
        else => false,
    };
}

/// A document of a struct or an anonymous one.
pub fn document(value: anytype) bson.Document {
    var builder = Builder.init();
    inline for (@typeInfo(@TypeOf(value)).@"struct".field_names) |name| builder.add(name, @field(value, name));
    return builder.finish();
}
