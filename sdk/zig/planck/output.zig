// SPDX-License-Identifier: Apache-2.0
//! The body of a response: raw text, HTML and URL escaping, JSON.
const std = @import("std");
const bson = @import("bson.zig");
const builder = @import("builder.zig");
const encoding = @import("encoding.zig");
const host = @import("host.zig");
const memory = @import("memory.zig");

pub const Out = struct {
    buffer: memory.Buffer = .{},

    /// Unescaped: for markup that is written in the source only.
    pub fn raw(out: *Out, markup: []const u8) void {
        out.buffer.append(markup);
    }

    /// HTML text and quoted attributes.
    pub fn escape(out: *Out, text: []const u8) void {
        var rest = text;
        while (true) {
            const plain = encoding.plainRun(rest, "&<>\"'", false);
            out.raw(rest[0..plain]);
            if (plain == rest.len) return;
            out.raw(switch (rest[plain]) {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                else => "&#39;",
            });
            rest = rest[plain + 1 ..];
        }
    }

    /// One component of a URL.
    pub fn escapeUrl(out: *Out, text: []const u8) void {
        for (text) |c| {
            switch (c) {
                'A'...'Z', 'a'...'z', '0'...'9', '-', '.', '_', '~' => out.buffer.appendByte(c),
                else => out.raw(&.{ '%', std.fmt.digitToChar(c >> 4, .upper), std.fmt.digitToChar(c & 15, .upper) }),
            }
        }
    }

    /// Numbers and the like, as std.fmt writes them; texts must go through escape().
    pub fn print(out: *Out, comptime format: []const u8, args: anytype) void {
        out.raw(std.fmt.allocPrint(memory.allocator, format, args) catch host.abort("out of memory"));
    }
};

const depth_max = 64;

/// JSON, written value by value: commas come by themselves. What comes out is JSON whatever goes in,
/// and may stand inside of a <script> element, because '<' is always escaped.
pub const Json = struct {
    buffer: *memory.Buffer,
    depth: u8 = 0,
    objects: u64 = 0, // bit n: the one at depth n is an object
    comma: bool = false,

    /// A member of an object; in arrays and at the top the name is ignored. Values as for
    /// Builder.add; NaN and infinities are null.
    pub fn add(json: *Json, name: []const u8, value: anytype) void {
        json.member(name);
        writeAny(json.buffer, value);
    }

    pub fn begin(json: *Json, name: []const u8, kind: enum { object, array }) void {
        if (json.depth == depth_max) host.abort("JSON: nested too deep");
        json.member(name);
        const bit = @as(u64, 1) << @intCast(json.depth);
        json.objects = if (kind == .object) json.objects | bit else json.objects & ~bit;
        json.buffer.appendByte(if (kind == .object) '{' else '[');
        json.depth += 1;
        json.comma = false;
    }

    pub fn end(json: *Json) void {
        if (json.depth == 0) host.abort("Json.end: nothing was begun");
        json.depth -= 1;
        json.buffer.appendByte(if (json.objects >> @intCast(json.depth) & 1 != 0) '}' else ']');
        json.comma = true;
    }

    fn member(json: *Json, name: []const u8) void {
        if (json.depth == 0) return;
        if (json.comma) json.buffer.appendByte(',');
        json.comma = true;
        if (json.objects >> @intCast(json.depth - 1) & 1 == 0) return;
        writeText(json.buffer, name);
        json.buffer.appendByte(':');
    }
};

/// Any value as JSON: those of Builder.add.
pub fn writeAny(buffer: *memory.Buffer, value: anytype) void {
    const T = @TypeOf(value);
    switch (T) {
        bson.Value => return writeValue(buffer, value),
        bson.Document => return writeElements(buffer, value.iterate(), "{}"),
        bson.Array => return writeElements(buffer, value.iterate(), "[]"),
        bson.Date => return writeDate(buffer, value),
        bson.Uuid => return writeText(buffer, &value.text()),
        bson.Binary => return writeBinary(buffer, value),
        else => {},
    }
    switch (@typeInfo(T)) {
        .null => buffer.append("null"),
        .bool => buffer.append(if (value) "true" else "false"),
        .int => buffer.appendDecimal(value),
        .comptime_int => buffer.appendDecimal(@as(i64, value)),
        .float, .comptime_float => writeDouble(buffer, value),
        .optional => if (value) |some| writeAny(buffer, some) else buffer.append("null"),
        .@"enum", .enum_literal => writeText(buffer, @tagName(value)),
        .@"struct" => |info| writeStruct(buffer, value, info.is_tuple),
        .array => writeSlice(buffer, &value),
        .pointer => if (comptime builder.isText(T)) writeText(buffer, value) else writeSlice(buffer, value),
        else => @compileError("JSON cannot hold " ++ @typeName(T)),
    }
}

fn writeStruct(buffer: *memory.Buffer, value: anytype, comptime is_tuple: bool) void {
    buffer.appendByte(if (is_tuple) '[' else '{');
    inline for (@typeInfo(@TypeOf(value)).@"struct".field_names, 0..) |name, index| {
        if (index > 0) buffer.appendByte(',');
        if (!is_tuple) {
            writeText(buffer, name);
            buffer.appendByte(':');
        }
        writeAny(buffer, @field(value, name));
    }
    buffer.appendByte(if (is_tuple) ']' else '}');
}

fn writeSlice(buffer: *memory.Buffer, values: anytype) void {
    buffer.appendByte('[');
    for (values, 0..) |value, index| {
        if (index > 0) buffer.appendByte(',');
        writeAny(buffer, value);
    }
    buffer.appendByte(']');
}

fn writeElements(buffer: *memory.Buffer, elements: bson.Iterator, brackets: *const [2]u8) void {
    var iterator = elements;
    var comma = false;
    buffer.appendByte(brackets[0]);
    while (iterator.next()) |element| {
        if (comma) buffer.appendByte(',');
        comma = true;
        if (brackets[0] == '{') {
            writeText(buffer, element.name);
            buffer.appendByte(':');
        }
        writeValue(buffer, element.value);
    }
    buffer.appendByte(brackets[1]);
}

fn writeValue(buffer: *memory.Buffer, value: bson.Value) void {
    switch (value) {
        .null, .other => buffer.append("null"),
        .object_id => |id| writeText(buffer, &std.fmt.bytesToHex(id, .lower)),
        inline else => |some| writeAny(buffer, some),
    }
}

fn writeDouble(buffer: *memory.Buffer, value: f64) void {
    if (!std.math.isFinite(value)) return buffer.append("null");
    const magnitude = @abs(value);
    const is_plain = value == 0 or (magnitude >= 1e-5 and magnitude < 1e21);
    const room = buffer.reserve(64);
    const text = std.fmt.float.render(room, value, .{ .mode = if (is_plain) .decimal else .scientific }) catch unreachable;
    buffer.commit(text.len);
    if (std.mem.findAny(u8, text, ".e") == null) buffer.append(".0");
}

fn writeDate(buffer: *memory.Buffer, date: bson.Date) void {
    if (!encoding.isDate(date.ms)) return buffer.appendDecimal(date.ms);
    var text: [24]u8 = undefined;
    encoding.writeDate(&text, date.ms);
    writeText(buffer, &text);
}

fn writeBinary(buffer: *memory.Buffer, binary: bson.Binary) void {
    const encoder = std.base64.standard_no_pad.Encoder;
    const size = encoder.calcSize(binary.bytes.len);
    buffer.appendByte('"');
    _ = encoder.encode(buffer.reserve(size)[0..size], binary.bytes);
    buffer.commit(size);
    buffer.appendByte('"');
}

pub fn writeText(buffer: *memory.Buffer, text: []const u8) void {
    buffer.appendByte('"');
    var rest = text;
    while (rest.len > 0) {
        const plain = encoding.plainRun(rest, "\"\\<", true);
        buffer.append(rest[0..plain]);
        rest = rest[plain..];
        if (rest.len > 0) rest = rest[writeSpecial(buffer, rest)..];
    }
    buffer.appendByte('"');
}

/// Writes the character that `text` begins with; how many bytes of it that took.
fn writeSpecial(buffer: *memory.Buffer, text: []const u8) usize {
    const c = text[0];
    switch (c) {
        '"', '\\' => buffer.append(&.{ '\\', c }),
        '\n' => buffer.append("\\n"),
        '\r' => buffer.append("\\r"),
        '\t' => buffer.append("\\t"),
        0x80...0xff => {
            const length = encoding.sequenceLength(text);
            buffer.append(if (length == 0) encoding.replacement else text[0..length]);
            return @max(length, 1);
        },
        else => {
            buffer.append("\\u00");
            buffer.append(&std.fmt.bytesToHex([1]u8{c}, .lower));
        },
    }
    return 1;
}
