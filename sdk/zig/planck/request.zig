// SPDX-License-Identifier: Apache-2.0
//! A request, whose parts are views into the structure that the host wrote (docs/ABI.md), and the
//! response to it, which is sent when the handler has returned.
const std = @import("std");
const bson = @import("bson.zig");
const encoding = @import("encoding.zig");
const host = @import("host.zig");
const json = @import("json.zig");
const memory = @import("memory.zig");
const output = @import("output.zig");

pub const Method = enum(u8) { GET = 1, HEAD, POST, PUT, PATCH, DELETE, OPTIONS };

const headers_max = 64; // one of them is kept for the content type
const body_not_included = 1; // a flag

/// Offsets of fields in the host's structure.
const Field = enum(usize) {
    version = 4,
    method = 6,
    flags = 7,
    route = 8,
    path = 12,
    query = 20,
    body = 28,
    body_total = 36,
    param_count = 44,
    header_count = 46,
    params = 48,
    headers = 52,
    id = 56,
    remote = 64,
};
pub const minimal_size = 72;

pub const Request = struct {
    data: []const u8,
    known_body: ?[]const u8 = null,
    status: u16 = 200,
    content_type: ?[]const u8 = null, // null: no body was begun
    out: output.Out = .{},
    header_count: u16 = 0,
    headers: [headers_max]host.Header = undefined,

    // ---- what was asked for

    pub fn method(request: *const Request) Method {
        return @fromBackingInt(@intCast(request.data[@backingInt(Field.method)]));
    }

    /// As sent, percent-encoded.
    pub fn path(request: *const Request) []const u8 {
        return request.view(@backingInt(Field.path));
    }

    pub fn id(request: *const Request) []const u8 {
        return request.view(@backingInt(Field.id));
    }

    pub fn remoteAddress(request: *const Request) []const u8 {
        return request.view(@backingInt(Field.remote));
    }

    /// The position of the route in the manifest.
    pub fn routeIndex(request: *const Request) u32 {
        return request.number(u32, @backingInt(Field.route));
    }

    pub fn version(request: *const Request) u16 {
        return request.number(u16, @backingInt(Field.version));
    }

    /// A parameter of the pattern by its position, decoded.
    pub fn param(request: *const Request, index: usize) []const u8 {
        if (index >= request.number(u16, @backingInt(Field.param_count)))
            host.abort("the request has too few parameters");
        return request.view(request.entry(.params, index, 8));
    }

    /// A value of the query string, decoded; the first of several.
    pub fn query(request: *const Request, name: []const u8) ?[]const u8 {
        return findField(.{ .rest = request.view(@backingInt(Field.query)) }, name);
    }

    /// The same as an integer, Uuid, enum or text; null when it is absent, error.Invalid when it is
    /// not one.
    pub fn queryAs(request: *const Request, comptime T: type, name: []const u8) error{Invalid}!?T {
        const text = request.query(name) orelse return null;
        return convert(T, text) orelse bson.invalid("a value of the query string is not of its type");
    }

    /// The first header of that name, which is in lower case.
    pub fn header(request: *const Request, name: []const u8) ?[]const u8 {
        var index: usize = 0;
        return request.nextHeader(name, &index);
    }

    pub fn cookie(request: *const Request, name: []const u8) ?[]const u8 {
        var index: usize = 0;
        while (request.nextHeader("cookie", &index)) |line| {
            if (findCookie(line, name)) |value| return value;
        }
        return null;
    }

    pub fn body(request: *Request) []const u8 {
        if (request.data[@backingInt(Field.flags)] & body_not_included == 0)
            return request.view(@backingInt(Field.body));
        if (request.known_body == null)
            request.known_body = readBody(request.number(u64, @backingInt(Field.body_total)));
        return request.known_body.?;
    }

    /// The body, a JSON object; error.Malformed when it is none.
    pub fn document(request: *Request) json.Error!bson.Document {
        return json.parse(request.body());
    }

    /// The body as a struct (Document.to).
    pub fn read(request: *Request, comptime T: type) error{ Malformed, Invalid }!T {
        return (try request.document()).to(T);
    }

    /// A field of an application/x-www-form-urlencoded body, decoded.
    pub fn form(request: *Request, name: []const u8) ?[]const u8 {
        return findField(request.formFields(), name);
    }

    /// All of them in order.
    pub fn formFields(request: *Request) Fields {
        const is_form = std.ascii.eqlIgnoreCase(request.mediaType(), "application/x-www-form-urlencoded");
        return .{ .rest = if (is_form) request.body() else "" };
    }

    /// By its Content-Type.
    pub fn isJson(request: *const Request) bool {
        const kind = request.mediaType();
        return std.ascii.eqlIgnoreCase(kind, "application/json") or std.ascii.endsWithIgnoreCase(kind, "+json");
    }

    /// Whether Accept has HTML before JSON.
    pub fn prefersHtml(request: *const Request) bool {
        const accept = request.header("accept") orelse return false;
        const none = accept.len;
        const html_at = std.ascii.findIgnoreCase(accept, "text/html") orelse none;
        return html_at < std.ascii.findIgnoreCase(accept, "application/json") orelse none;
    }

    // ---- the response: without anything else, 200 with an empty body

    /// 200 to 599.
    pub fn setStatus(request: *Request, status: u16) void {
        if (status < 200 or status > 599) host.abort("setStatus: not 200 to 599");
        request.status = status;
    }

    /// Adds a header, whose value is copied; Content-Type replaces that of the body.
    pub fn setHeader(request: *Request, comptime name: []const u8, value: []const u8) void {
        if (comptime !isToken(name)) @compileError("setHeader: a malformed name");
        if (!isHeaderValue(value)) host.abort("setHeader: a line break or control character");
        const copy = memory.allocate(value.len);
        @memcpy(copy, value);
        if (comptime std.ascii.eqlIgnoreCase(name, "content-type")) {
            request.content_type = copy;
            return;
        }
        if (request.header_count == headers_max - 1) host.abort("setHeader: more than 63 headers");
        request.addHeader(name, copy);
    }

    pub fn redirect(request: *Request, status: u16, location: []const u8) void {
        request.setStatus(status);
        request.setHeader("location", location);
    }

    /// {"error": {"code", "message"}} with that status; what the body held is dropped.
    pub fn fail(request: *Request, status: u16, code: []const u8, message: []const u8) void {
        request.setStatus(status);
        request.respond(.{ .@"error" = .{ .code = code, .message = message } });
    }

    /// Begins a body of that content type.
    pub fn begin(request: *Request, comptime content_type: []const u8) *output.Out {
        if (comptime !isHeaderValue(content_type)) @compileError("begin: a malformed content type");
        request.content_type = content_type;
        request.out.buffer.size = 0;
        return &request.out;
    }

    pub fn html(request: *Request) *output.Out {
        return request.begin("text/html; charset=utf-8");
    }

    pub fn plain(request: *Request) *output.Out {
        return request.begin("text/plain; charset=utf-8");
    }

    /// A JSON body that is written value by value.
    pub fn jsonWriter(request: *Request) output.Json {
        return .{ .buffer = &request.begin("application/json").buffer };
    }

    /// A JSON body: a document, a struct, anything that Builder.add takes.
    pub fn respond(request: *Request, value: anytype) void {
        output.writeAny(&request.begin("application/json").buffer, value);
    }

    pub fn send(request: *Request) void {
        if (request.content_type) |content_type| request.addHeader("content-type", content_type);
        const bytes = request.out.buffer.bytes();
        host.imports.host_respond(&.{
            .status = request.status,
            .header_count = request.header_count,
            .headers = &request.headers,
            .body = bytes.ptr,
            .body_len = bytes.len,
        }, @sizeOf(host.Response));
    }

    // ---- the host's structure

    fn number(request: *const Request, comptime T: type, offset: usize) T {
        return std.mem.readInt(T, request.data[offset..][0..@sizeOf(T)], .little);
    }

    fn view(request: *const Request, field: usize) []const u8 {
        const offset = request.number(u32, field);
        const size = request.number(u32, field + 4);
        if (offset > request.data.len or size > request.data.len - offset)
            host.abort("the request is malformed");
        return request.data[offset..][0..size];
    }

    fn entry(request: *const Request, table: Field, index: usize, size: usize) usize {
        const start = request.number(u32, @backingInt(table));
        if (start > request.data.len or request.data.len - start < (index + 1) * size)
            host.abort("the request is malformed");
        return start + index * size;
    }

    fn nextHeader(request: *const Request, name: []const u8, index: *usize) ?[]const u8 {
        while (index.* < request.number(u16, @backingInt(Field.header_count))) {
            const at = request.entry(.headers, index.*, 16);
            index.* += 1;
            if (std.mem.eql(u8, request.view(at), name)) return request.view(at + 8);
        }
        return null;
    }

    fn mediaType(request: *const Request) []const u8 {
        const kind = request.header("content-type") orelse return "";
        return std.mem.trim(u8, kind[0 .. std.mem.findScalar(u8, kind, ';') orelse kind.len], " \t");
    }

    fn addHeader(request: *Request, name: []const u8, value: []const u8) void {
        request.headers[request.header_count] =
            .{ .name = name.ptr, .name_len = name.len, .value = value.ptr, .value_len = value.len };
        request.header_count += 1;
    }
};

/// Names and values of a form, decoded one after the other.
pub const Fields = struct {
    rest: []const u8,

    pub const Pair = struct { name: []const u8, value: []const u8 };

    pub fn next(fields: *Fields) ?Pair {
        const pair = fields.nextEncoded() orelse return null;
        return .{ .name = encoding.formDecode(pair.name), .value = encoding.formDecode(pair.value) };
    }

    fn nextEncoded(fields: *Fields) ?Pair {
        const rest = std.mem.trimStart(u8, fields.rest, "&");
        if (rest.len == 0) return null;
        const end = std.mem.findScalar(u8, rest, '&') orelse rest.len;
        const equals = std.mem.findScalar(u8, rest[0..end], '=') orelse end;
        fields.rest = rest[end..];
        return .{ .name = rest[0..equals], .value = rest[@min(equals + 1, end)..end] };
    }
};

fn findField(all: Fields, name: []const u8) ?[]const u8 {
    var fields = all;
    while (fields.nextEncoded()) |pair| {
        if (encoding.formEquals(pair.name, name)) return encoding.formDecode(pair.value);
    }
    return null;
}

/// RFC 6265: name=value; name=value. A value in quotes is given without them.
fn findCookie(line: []const u8, name: []const u8) ?[]const u8 {
    var pairs = std.mem.splitScalar(u8, line, ';');
    while (pairs.next()) |pair| {
        const equals = std.mem.findScalar(u8, pair, '=') orelse continue;
        if (!std.mem.eql(u8, std.mem.trim(u8, pair[0..equals], " \t"), name)) continue;
        const value = std.mem.trim(u8, pair[equals + 1 ..], " \t");
        const is_quoted = value.len >= 2 and value[0] == '"' and value[value.len - 1] == '"';
        return if (is_quoted) value[1 .. value.len - 1] else value;
    }
    return null;
}

fn readBody(total: u64) []const u8 {
    const bytes = memory.allocate(std.math.cast(usize, total) orelse host.abort("out of memory"));
    var size: usize = 0;
    while (size < bytes.len) {
        const count = host.imports.host_body_read(bytes.ptr + size, bytes.len - size);
        if (count < 0) host.abort("the body cannot be read");
        if (count == 0) break;
        size += @intCast(count);
    }
    return bytes[0..size];
}

/// RFC 9110, section 5.6.2.
fn isToken(text: []const u8) bool {
    for (text) |c| {
        if (!std.ascii.isAlphanumeric(c) and std.mem.findScalar(u8, "!#$%&'*+-.^_`|~", c) == null) return false;
    }
    return text.len > 0;
}

/// No line break, so that a value cannot become two headers, and nothing else unseen.
fn isHeaderValue(text: []const u8) bool {
    for (text) |c| {
        if ((c < 0x20 and c != '\t') or c == 0x7f) return false;
    }
    return true;
}

/// A text of a URL as T: decimal integers in full, UUIDs, names of an enum, texts.
pub fn convert(comptime T: type, text: []const u8) ?T {
    if (T == []const u8) return text;
    if (T == bson.Uuid) return bson.Uuid.parse(text);
    switch (@typeInfo(T)) {
        .int => {
            const digits = if (text.len > 0 and text[0] == '-') text[1..] else text;
            for (digits) |c| if (!std.ascii.isDigit(c)) return null;
            return std.fmt.parseInt(T, text, 10) catch null;
        },
        .@"enum" => return std.meta.stringToEnum(T, text),
        else => @compileError("a parameter cannot be of type " ++ @typeName(T)),
    }
}
