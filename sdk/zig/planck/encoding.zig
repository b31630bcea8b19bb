// SPDX-License-Identifier: Apache-2.0
//! Encodings of bytes as text: UTF-8, forms, base64, UUIDs, dates.
const std = @import("std");
const memory = @import("memory.zig");

pub const replacement = "\u{fffd}";

/// The length of the UTF-8 sequence that `text` begins with; 0 when it begins with none.
pub fn sequenceLength(text: []const u8) usize {
    if (text.len == 0) return 0;
    if (text[0] < 0x80) return 1;
    const length = std.unicode.utf8ByteSequenceLength(text[0]) catch return 0;
    if (length > text.len or !std.unicode.utf8ValidateSlice(text[0..length])) return 0;
    return length;
}

/// A copy in which each byte that belongs to no UTF-8 sequence is U+FFFD; the text when there is none.
pub fn repair(text: []const u8) []const u8 {
    if (std.unicode.utf8ValidateSlice(text)) return text;
    var repaired: memory.Buffer = .{};
    var rest = text;
    while (rest.len > 0) {
        const length = sequenceLength(rest);
        repaired.append(if (length == 0) replacement else rest[0..length]);
        rest = rest[@max(length, 1)..];
    }
    return repaired.seal();
}

fn isStop(c: u8, comptime stops: []const u8, comptime other: bool) bool {
    if (other and (c < 0x20 or c >= 0x80)) return true;
    inline for (stops) |stop| if (c == stop) return true;
    return false;
}

/// How many bytes `text` begins with that are none of `stops`, nor, with `other`, a control character
/// or beyond ASCII. Eight at a time: a word that may hold one is looked at byte by byte.
pub fn plainRun(text: []const u8, comptime stops: []const u8, comptime other: bool) usize {
    const ones: u64 = 0x0101010101010101;
    var size: usize = 0;
    while (text.len - size >= 8) {
        const word = std.mem.readInt(u64, text[size..][0..8], .little);
        var found: u64 = if (other) word | (word -% ones * 0x20) else 0;
        inline for (stops) |stop| {
            const different = word ^ (ones * stop);
            found |= (different -% ones) & ~different;
        }
        if (found & ones * 0x80 != 0) {
            for (text[size..][0..8], 0..) |c, index| if (isStop(c, stops, other)) return size + index;
        }
        size += 8;
    }
    while (size < text.len and !isStop(text[size], stops, other)) size += 1;
    return size;
}

// ---- application/x-www-form-urlencoded

/// The byte that begins at `at`, which moves behind it. A '%' that begins no escape is itself.
fn formByte(text: []const u8, at: *usize) u8 {
    const c = text[at.*];
    at.* += 1;
    if (c == '+') return ' ';
    if (c != '%' or text.len - at.* < 2) return c;
    const high = std.fmt.charToDigit(text[at.*], 16) catch return c;
    const low = std.fmt.charToDigit(text[at.* + 1], 16) catch return c;
    at.* += 2;
    return high << 4 | low;
}

pub fn formEquals(encoded: []const u8, wanted: []const u8) bool {
    var at: usize = 0;
    for (wanted) |byte| {
        if (at == encoded.len or formByte(encoded, &at) != byte) return false;
    }
    return at == encoded.len;
}

pub fn formDecode(encoded: []const u8) []const u8 {
    if (std.mem.findAny(u8, encoded, "%+") == null) return repair(encoded);
    const decoded = memory.allocate(encoded.len);
    var at: usize = 0;
    var size: usize = 0;
    while (at < encoded.len) : (size += 1) decoded[size] = formByte(encoded, &at);
    return repair(decoded[0..size]);
}

// ---- base64url, for cursors

pub fn base64Url(bytes: []const u8) []const u8 {
    const encoder = std.base64.url_safe_no_pad.Encoder;
    return encoder.encode(memory.allocate(encoder.calcSize(bytes.len)), bytes);
}

pub fn decodeBase64Url(text: []const u8) ?[]const u8 {
    const decoder = std.base64.url_safe_no_pad.Decoder;
    const size = decoder.calcSizeForSlice(text) catch return null;
    const bytes = memory.allocate(size);
    decoder.decode(bytes, text) catch return null;
    return bytes;
}

// ---- UUIDs

pub const uuid_text_size = 36;

pub fn writeUuid(target: *[uuid_text_size]u8, uuid: [16]u8) void {
    const hex = std.fmt.bytesToHex(uuid, .lower);
    const groups = [_]usize{ 8, 4, 4, 4, 12 };
    var from: usize = 0;
    var to: usize = 0;
    for (groups) |size| {
        if (to > 0) {
            target[to] = '-';
            to += 1;
        }
        @memcpy(target[to..][0..size], hex[from..][0..size]);
        from += size;
        to += size;
    }
}

pub fn parseUuid(text: []const u8) ?[16]u8 {
    if (text.len != uuid_text_size) return null;
    var uuid: [16]u8 = undefined;
    var at: usize = 0;
    for (&uuid) |*byte| {
        if (at == 8 or at == 13 or at == 18 or at == 23) {
            if (text[at] != '-') return null;
            at += 1;
        }
        const high = std.fmt.charToDigit(text[at], 16) catch return null;
        const low = std.fmt.charToDigit(text[at + 1], 16) catch return null;
        byte.* = high << 4 | low;
        at += 2;
    }
    return uuid;
}

// ---- dates

/// From the year 0 to 9999, which RFC 3339 can write.
pub fn isDate(ms: i64) bool {
    return ms >= -62167219200000 and ms <= 253402300799999;
}

fn writePadded(target: []u8, value: u64) void {
    var rest = value;
    var at = target.len;
    while (at > 0) : (rest /= 10) {
        at -= 1;
        target[at] = @intCast('0' + rest % 10);
    }
}

const era_days = 146097; // 400 years
const era_start = 719468 + era_days; // days from -0400-03-01 to 1970-01-01
const day_ms = 86_400_000;

/// 2024-02-29T12:00:00.000Z. Years begin in March here, so that the leap day is a year's last; days
/// are counted from an era before the first that is written, so that no number is negative.
pub fn writeDate(target: *[24]u8, ms: i64) void {
    const since: u64 = @intCast(ms + era_start * day_ms);
    const days = since / day_ms;
    const rest = since % day_ms;
    var day = days % era_days;
    var year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    var month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5;
    year = year + days / era_days * 400 + @intFromBool(month >= 10) - 400;
    month = if (month < 10) month + 3 else month - 9;
    target.* = "0000-00-00T00:00:00.000Z".*;
    writePadded(target[0..4], year);
    writePadded(target[5..7], month);
    writePadded(target[8..10], day + 1);
    writePadded(target[11..13], rest / 3_600_000);
    writePadded(target[14..16], rest / 60_000 % 60);
    writePadded(target[17..19], rest / 1000 % 60);
    writePadded(target[20..23], rest % 1000);
}
