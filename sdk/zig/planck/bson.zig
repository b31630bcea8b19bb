// SPDX-License-Identifier: Apache-2.0
//! Reading documents (BSON, bsonspec.org 1.1) in place. They come from the host or from the builder
//! and are well formed; still nothing is read outside of the view.
const std = @import("std");
const encoding = @import("encoding.zig");
const host = @import("host.zig");

pub const Type = enum(u8) {
    double = 0x01,
    text = 0x02,
    document = 0x03,
    array = 0x04,
    binary = 0x05,
    object_id = 0x07,
    boolean = 0x08,
    date = 0x09,
    null = 0x0a,
    regex = 0x0b,
    int32 = 0x10,
    timestamp = 0x11,
    int64 = 0x12,
    decimal128 = 0x13,
    max_key = 0x7f,
    min_key = 0xff,
    _,
};

pub const uuid_subtype = 4;

pub const Binary = struct { subtype: u8 = 0, bytes: []const u8 };

/// Milliseconds since 1970.
pub const Date = struct {
    ms: i64,

    pub fn now() Date {
        return .{ .ms = host.nowMs() };
    }
};

pub const Uuid = struct {
    bytes: [16]u8,

    /// A UUID v7 (RFC 9562): 48 bits of milliseconds, then 12 bits of their fraction (its section
    /// 6.2, method 3), so that keys made one after the other are in order.
    pub fn new() Uuid {
        var uuid: Uuid = undefined;
        const now: u64 = @intCast(host.imports.host_now_ns());
        const fraction: u16 = @intCast(now % 1_000_000 * 4096 / 1_000_000);
        host.random(uuid.bytes[8..]);
        std.mem.writeInt(u48, uuid.bytes[0..6], @truncate(now / 1_000_000), .big);
        std.mem.writeInt(u16, uuid.bytes[6..8], 0x7000 | fraction, .big);
        uuid.bytes[8] = 0x80 | (uuid.bytes[8] & 0x3f);
        return uuid;
    }

    /// Of the 36-character form; null when it is not one.
    pub fn parse(string: []const u8) ?Uuid {
        return .{ .bytes = encoding.parseUuid(string) orelse return null };
    }

    pub fn text(uuid: Uuid) [encoding.uuid_text_size]u8 {
        var string: [encoding.uuid_text_size]u8 = undefined;
        encoding.writeUuid(&string, uuid.bytes);
        return string;
    }
};

pub const Value = union(enum) {
    double: f64,
    text: []const u8,
    document: Document,
    array: Array,
    uuid: Uuid,
    binary: Binary,
    object_id: *const [12]u8,
    boolean: bool,
    date: Date,
    null,
    int: i64,
    other: Other, // what no service writes: kept as it is

    pub const Other = struct { type: Type, payload: []const u8 };

    /// As type T, or null when the value is not one: integers that fit, numbers as floats, texts,
    /// bool, Date, Uuid, Document, Array, Binary, enums by name, Value itself, optionals, structs.
    pub fn as(value: Value, comptime T: type) ?T {
        switch (T) {
            Value => return value,
            Document => return if (value == .document) value.document else null,
            Array => return if (value == .array) value.array else null,
            Date => return if (value == .date) value.date else null,
            Uuid => return if (value == .uuid) value.uuid else null,
            Binary => return if (value == .binary) value.binary else null,
            []const u8 => return if (value == .text) value.text else null,
            bool => return if (value == .boolean) value.boolean else null,
            else => {},
        }
        switch (@typeInfo(T)) {
            .int => return if (value == .int) std.math.cast(T, value.int) else null,
            .float => return switch (value) {
                .double => |number| @floatCast(number),
                .int => |number| @floatFromInt(number),
                else => null,
            },
            .optional => |optional| return if (value == .null) @as(T, null) else value.as(optional.child),
            .@"enum" => return if (value == .text) std.meta.stringToEnum(T, value.text) else null,
            .@"struct" => return if (value == .document) value.document.to(T) catch null else null,
            else => @compileError("a value cannot be read as " ++ @typeName(T)),
        }
    }
};

pub const Element = struct { name: []const u8, value: Value };

pub const Iterator = struct {
    rest: []const u8,

    pub fn next(iterator: *Iterator) ?Element {
        const rest = iterator.rest;
        iterator.rest = &.{};
        if (rest.len == 0) return null;
        const name_size = std.mem.findScalar(u8, rest[1..], 0) orelse return null;
        const kind: Type = @fromBackingInt(@intCast(rest[0]));
        const payload = rest[name_size + 2 ..];
        const size = payloadSize(kind, payload) orelse return null;
        if (size > payload.len) return null;
        iterator.rest = payload[size..];
        return .{ .name = rest[1..][0..name_size], .value = valueOf(kind, payload[0..size]) };
    }
};

pub const Document = struct {
    bytes: []const u8,

    pub const empty: Document = .{ .bytes = &.{ 5, 0, 0, 0, 0 } };

    pub fn iterate(document: Document) Iterator {
        return iterateBytes(document.bytes);
    }

    /// `path`: "name" or "address.city" or "lines.0.quantity".
    pub fn get(document: Document, path: []const u8) ?Value {
        return getIn(document.iterate(), path);
    }

    /// The value there as that type (Value.as); null when it is absent or of another type.
    pub fn read(document: Document, comptime T: type, path: []const u8) ?T {
        const value = document.get(path) orelse return null;
        return value.as(T);
    }

    pub fn text(document: Document, path: []const u8) ?[]const u8 {
        return document.read([]const u8, path);
    }

    /// A struct, field by field: those with a default and optional ones may be absent.
    /// error.Invalid, with a message, for one that is absent or of another type.
    pub fn to(document: Document, comptime T: type) error{Invalid}!T {
        const info = @typeInfo(T).@"struct";
        var result: T = undefined;
        inline for (info.field_names, info.field_types, info.field_attrs) |name, Field, attributes| {
            if (document.get(name)) |value| {
                @field(result, name) = value.as(Field) orelse return invalid(name ++ " is of another type");
            } else if (comptime attributes.defaultValue(Field)) |default| {
                @field(result, name) = default;
            } else if (@typeInfo(Field) == .optional) {
                @field(result, name) = null;
            } else {
                return invalid(name ++ " is missing");
            }
        }
        return result;
    }
};

pub const Array = struct {
    bytes: []const u8,

    pub const empty: Array = .{ .bytes = &.{ 5, 0, 0, 0, 0 } };

    pub fn iterate(array: Array) Iterator {
        return iterateBytes(array.bytes);
    }
};

/// The message of the last operation that failed in this request.
pub var last_error: []const u8 = "";

pub fn invalid(message: []const u8) error{Invalid} {
    last_error = message;
    return error.Invalid;
}

fn iterateBytes(bytes: []const u8) Iterator {
    if (bytes.len < 5) return .{ .rest = &.{} };
    const size = readInt(u32, bytes);
    if (size < 5 or size > bytes.len) return .{ .rest = &.{} };
    return .{ .rest = bytes[4 .. size - 1] };
}

fn getIn(elements: Iterator, path: []const u8) ?Value {
    const dot = std.mem.findScalar(u8, path, '.') orelse path.len;
    var iterator = elements;
    while (iterator.next()) |element| {
        if (!std.mem.eql(u8, element.name, path[0..dot])) continue;
        if (dot == path.len) return element.value;
        return switch (element.value) {
            .document => |document| getIn(document.iterate(), path[dot + 1 ..]),
            .array => |array| getIn(array.iterate(), path[dot + 1 ..]),
            else => null,
        };
    }
    return null;
}

fn readInt(comptime T: type, bytes: []const u8) T {
    return std.mem.readInt(T, bytes[0..@sizeOf(T)], .little);
}

fn payloadSize(kind: Type, payload: []const u8) ?usize {
    switch (kind) {
        .null, .min_key, .max_key => return 0,
        .boolean => return 1,
        .int32 => return 4,
        .double, .date, .timestamp, .int64 => return 8,
        .object_id => return 12,
        .decimal128 => return 16,
        .regex => {
            const pattern = std.mem.findScalar(u8, payload, 0) orelse return null;
            const options = std.mem.findScalar(u8, payload[pattern + 1 ..], 0) orelse return null;
            return pattern + options + 2;
        },
        .text, .document, .array, .binary => {
            if (payload.len < 5) return null;
            const size: usize = readInt(u32, payload);
            if (size > payload.len) return null;
            return switch (kind) {
                .text => if (size < 1) null else size + 4,
                .binary => size + 5,
                else => if (size < 5) null else size,
            };
        },
        _ => return null,
    }
}

fn valueOf(kind: Type, payload: []const u8) Value {
    return switch (kind) {
        .double => .{ .double = @bitCast(readInt(u64, payload)) },
        .text => .{ .text = payload[4 .. payload.len - 1] },
        .document => .{ .document = .{ .bytes = payload } },
        .array => .{ .array = .{ .bytes = payload } },
        .binary => if (payload[4] == uuid_subtype and payload.len == 21)
            .{ .uuid = .{ .bytes = payload[5..21].* } }
        else
            .{ .binary = .{ .subtype = payload[4], .bytes = payload[5..] } },
        .object_id => .{ .object_id = payload[0..12] },
        .boolean => .{ .boolean = payload[0] != 0 },
        .date => .{ .date = .{ .ms = readInt(i64, payload) } },
        .null => .null,
        .int32 => .{ .int = readInt(i32, payload) },
        .int64 => .{ .int = readInt(i64, payload) },
        else => .{ .other = .{ .type = kind, .payload = payload } },
    };
}
