// SPDX-License-Identifier: Apache-2.0
//! JSON (RFC 8259) to a document in one pass, straight into a buffer. Numbers without fraction and
//! exponent become 64-bit integers, others doubles. Names keep their order; duplicates are kept, and
//! reading finds the first.
const std = @import("std");
const bson = @import("bson.zig");
const encoding = @import("encoding.zig");
const memory = @import("memory.zig");

const depth_max = 32;

pub const Error = error{Malformed};

/// error.Malformed, with what and where in errorMessage().
pub fn parse(text: []const u8) Error!bson.Document {
    var parser: Parser = .{ .text = text };
    parser.whole() catch {
        bson.last_error = parser.describe();
        return error.Malformed;
    };
    return .{ .bytes = parser.buffer.seal() };
}

const Parser = struct {
    text: []const u8,
    at: usize = 0,
    buffer: memory.Buffer = .{},
    problem: []const u8 = "",

    fn refuse(parser: *Parser, problem: []const u8) Error {
        parser.problem = problem;
        return error.Malformed;
    }

    /// The next character that is no blank, 0 at the end (or for a NUL, which no JSON has).
    fn peek(parser: *Parser) u8 {
        while (parser.at < parser.text.len) : (parser.at += 1) {
            switch (parser.text[parser.at]) {
                ' ', '\n', '\r', '\t' => {},
                else => |c| return c,
            }
        }
        return 0;
    }

    fn whole(parser: *Parser) Error!void {
        if (parser.peek() != '{') return parser.refuse("an object is expected");
        try parser.members(false, 0);
        _ = parser.peek();
        if (parser.at != parser.text.len) return parser.refuse("something follows the object");
    }

    /// An object or array with its brackets; recursion ends at depth_max.
    fn members(parser: *Parser, is_array: bool, depth: u32) Error!void {
        const close: u8 = if (is_array) ']' else '}';
        const buffer = &parser.buffer;
        const start = buffer.size;
        buffer.appendInt(u32, 0);
        parser.at += 1;
        var more = parser.peek() != close;
        var index: u32 = 0;
        while (more) : (index += 1) {
            const type_at = buffer.size;
            buffer.appendByte(0);
            if (is_array) buffer.appendDecimal(index) else try parser.name();
            buffer.appendByte(0);
            const kind = try parser.value(depth + 1);
            buffer.data[type_at] = @backingInt(kind);
            more = parser.peek() == ',';
            if (more) parser.at += 1;
        }
        if (parser.peek() != close)
            return parser.refuse(if (is_array) "',' or ']' is expected" else "',' or '}' is expected");
        parser.at += 1;
        buffer.appendByte(0);
        parser.patch(start, buffer.size - start);
    }

    fn patch(parser: *Parser, at: usize, size: usize) void {
        std.mem.writeInt(u32, parser.buffer.data[at..][0..4], @intCast(size), .little);
    }

    /// "name": and nothing of the value.
    fn name(parser: *Parser) Error!void {
        if (parser.peek() != '"') return parser.refuse("a name in quotes is expected");
        const where = parser.at;
        const start = parser.buffer.size;
        try parser.string();
        if (std.mem.findScalar(u8, parser.buffer.bytes()[start..], 0) != null) {
            parser.at = where;
            return parser.refuse("a name with a NUL character");
        }
        if (parser.peek() != ':') return parser.refuse("':' is expected");
        parser.at += 1;
    }

    fn value(parser: *Parser, depth: u32) Error!bson.Type {
        switch (parser.peek()) {
            '"' => {
                const start = parser.buffer.size;
                parser.buffer.appendInt(u32, 0);
                try parser.string();
                parser.buffer.appendByte(0);
                parser.patch(start, parser.buffer.size - start - 4);
                return .text;
            },
            '-', '0'...'9' => return parser.number(),
            't' => return parser.boolean("true", 1),
            'f' => return parser.boolean("false", 0),
            'n' => {
                try parser.word("null");
                return .null;
            },
            '{', '[' => |c| {
                if (depth == depth_max) return parser.refuse("nested too deep");
                try parser.members(c == '[', depth);
                return if (c == '[') .array else .document;
            },
            else => return parser.refuse("a value is expected"),
        }
    }

    fn word(parser: *Parser, expected: []const u8) Error!void {
        if (!std.mem.startsWith(u8, parser.text[parser.at..], expected))
            return parser.refuse("a value is expected");
        parser.at += expected.len;
    }

    fn boolean(parser: *Parser, expected: []const u8, byte: u8) Error!bson.Type {
        try parser.word(expected);
        parser.buffer.appendByte(byte);
        return .boolean;
    }

    // ---- strings

    fn string(parser: *Parser) Error!void {
        parser.at += 1;
        while (parser.at < parser.text.len) {
            const rest = parser.text[parser.at..];
            var plain = encoding.plainRun(rest, "\"\\", true);
            if (plain == 0 and rest[0] >= 0x80) {
                plain = encoding.sequenceLength(rest);
                if (plain == 0) return parser.refuse("a string is not UTF-8");
            }
            parser.buffer.append(rest[0..plain]);
            parser.at += plain;
            if (plain > 0) continue;
            if (rest[0] < 0x20) return parser.refuse("a control character in a string");
            parser.at += 1;
            if (rest[0] == '"') return;
            try parser.escape();
        }
        return parser.refuse("a string does not end");
    }

    /// Behind the backslash.
    fn escape(parser: *Parser) Error!void {
        const c = if (parser.at < parser.text.len) parser.text[parser.at] else 0;
        parser.at += 1;
        parser.buffer.appendByte(switch (c) {
            '"', '\\', '/' => c,
            'b' => 0x08,
            'f' => 0x0c,
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return parser.unicodeEscape(),
            else => return parser.refuse("an unknown escape"),
        });
    }

    fn unicodeEscape(parser: *Parser) Error!void {
        var code_point: u21 = try parser.hex4();
        if (code_point >= 0xd800 and code_point < 0xe000) {
            if (code_point >= 0xdc00 or !std.mem.startsWith(u8, parser.text[parser.at..], "\\u"))
                return parser.refuse("half of a surrogate pair");
            parser.at += 2;
            const low = try parser.hex4();
            if (low < 0xdc00 or low > 0xdfff) return parser.refuse("half of a surrogate pair");
            code_point = 0x10000 + ((code_point - 0xd800) << 10) + (low - 0xdc00);
        }
        const size = std.unicode.utf8Encode(code_point, parser.buffer.reserve(4)) catch unreachable;
        parser.buffer.commit(size);
    }

    fn hex4(parser: *Parser) Error!u16 {
        if (parser.text.len - @min(parser.at, parser.text.len) < 4) return parser.refuse("\\u needs four digits");
        var code: u16 = 0;
        for (parser.text[parser.at..][0..4]) |c| {
            const digit = std.fmt.charToDigit(c, 16) catch return parser.refuse("\\u needs four hexadecimal digits");
            code = code << 4 | digit;
        }
        parser.at += 4;
        return code;
    }

    // ---- numbers

    fn accept(parser: *Parser, characters: []const u8) bool {
        if (parser.at == parser.text.len) return false;
        if (std.mem.findScalar(u8, characters, parser.text[parser.at]) == null) return false;
        parser.at += 1;
        return true;
    }

    fn digits(parser: *Parser) Error!usize {
        const start = parser.at;
        while (parser.accept("0123456789")) {}
        if (parser.at == start) return parser.refuse("a malformed number");
        return parser.at - start;
    }

    fn number(parser: *Parser) Error!bson.Type {
        const start = parser.at;
        var is_integer = true;
        _ = parser.accept("-");
        const first = parser.at;
        if (try parser.digits() > 1 and parser.text[first] == '0') return parser.refuse("a malformed number");
        if (parser.accept(".")) {
            is_integer = false;
            _ = try parser.digits();
        }
        if (parser.accept("eE")) {
            is_integer = false;
            _ = parser.accept("+-");
            _ = try parser.digits();
        }
        const text = parser.text[start..parser.at];
        if (is_integer) {
            const integer = std.fmt.parseInt(i64, text, 10) catch
                return parser.refuse("an integer does not fit 64 bits");
            parser.buffer.appendInt(i64, integer);
            return .int64;
        }
        const double = std.fmt.parseFloat(f64, text) catch return parser.refuse("a malformed number");
        if (!std.math.isFinite(double)) return parser.refuse("a number is too large");
        parser.buffer.appendInt(u64, @bitCast(double));
        return .double;
    }

    /// "line 3, column 7: a value is expected"
    fn describe(parser: *const Parser) []const u8 {
        var line: u32 = 1;
        var column: u32 = 1;
        for (parser.text[0..@min(parser.at, parser.text.len)]) |c| {
            column = if (c == '\n') 1 else column + @intFromBool(c & 0xc0 != 0x80);
            line += @intFromBool(c == '\n');
        }
        var text: memory.Buffer = .{};
        text.append("line ");
        text.appendDecimal(line);
        text.append(", column ");
        text.appendDecimal(column);
        text.append(": ");
        text.append(parser.problem);
        return text.seal();
    }
};
