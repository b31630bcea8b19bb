// SPDX-License-Identifier: Apache-2.0
//! The query builder, which writes the logical form of docs/PROTOCOL.md.
//!
//!     var query = planck.from("products");
//!     query.where("category", .eq, category);
//!     query.orderBy("price", .ascending);
//!     var result = try query.run();
//!     while (result.next()) |product| …
const bson = @import("bson.zig");
const builder = @import("builder.zig");
const database = @import("database.zig");
const encoding = @import("encoding.zig");
const host = @import("host.zig");

pub const Compare = enum { eq, ne, lt, le, gt, ge, contains, starts_with, ends_with, contains_any_case };
pub const Direction = enum { ascending, descending };

pub fn from(store: []const u8) Select {
    return .{ .store = store };
}

const filter_depth = 2; // of the filter's own document and array

pub const Select = struct {
    store: []const u8,
    limit_count: ?i64 = null,
    skip_count: ?i64 = null,
    cursor: ?[]const u8 = null, // decoded
    is_malformed: bool = false,
    // Each begun with the first thing in it; the last two are arrays.
    filter: ?builder.Builder = null,
    sort: ?builder.Builder = null,
    names: ?builder.Builder = null,

    /// Conditions of one level hold together; between any() and end() any one of them does.
    pub fn where(query: *Select, path: []const u8, compare: Compare, value: anytype) void {
        const filter = query.filterOf();
        filter.begin("", .document);
        filter.add("op", if (compare == .contains_any_case) .contains else compare);
        filter.add("field", path);
        if (compare == .contains_any_case) filter.add("ignore_case", true);
        filter.add("value", value);
        filter.end();
    }

    pub fn whereExists(query: *Select, path: []const u8) void {
        query.filterOf().add("", .{ .op = "exists", .field = path });
    }

    pub fn any(query: *Select) void {
        const filter = query.filterOf();
        filter.begin("", .document);
        filter.add("op", "or");
        filter.begin("conditions", .array);
    }

    pub fn end(query: *Select) void {
        const filter = query.filterOf();
        if (filter.depth <= filter_depth) host.abort("Select.end: nothing was begun");
        filter.end();
        filter.end();
    }

    pub fn orderBy(query: *Select, path: []const u8, direction: Direction) void {
        arrayOf(&query.sort).add("", .{ .field = path, .descending = direction == .descending });
    }

    pub fn limit(query: *Select, count_max: i64) void {
        query.limit_count = count_max;
    }

    pub fn skip(query: *Select, skipped: i64) void {
        query.skip_count = skipped;
    }

    /// Goes on behind an earlier result: its `cursor`. Absent or empty: the beginning; one that is
    /// malformed: error.Invalid when it runs.
    pub fn after(query: *Select, cursor: ?[]const u8) void {
        query.cursor = null;
        query.is_malformed = false;
        const text = cursor orelse return;
        if (text.len == 0) return;
        query.cursor = encoding.decodeBase64Url(text);
        query.is_malformed = query.cursor == null;
    }

    /// Keep only `_id` and the named ones.
    pub fn field(query: *Select, path: []const u8) void {
        arrayOf(&query.names).add("", path);
    }

    pub fn run(query: *Select) database.Error!Result {
        const reply = try query.exchange(.query);
        const next = reply.trailer.read(bson.Binary, "next");
        return .{
            .count = reply.count,
            .cursor = if (next) |cursor| encoding.base64Url(cursor.bytes) else null,
            .rest = reply.documents,
        };
    }

    pub fn count(query: *Select) database.Error!i64 {
        const reply = try query.exchange(.count);
        return reply.trailer.read(i64, "count") orelse 0;
    }

    fn filterOf(query: *Select) *builder.Builder {
        if (query.filter == null) {
            query.filter = builder.Builder.init();
            query.filter.?.add("op", "and");
            query.filter.?.begin("conditions", .array);
        }
        return &query.filter.?;
    }

    fn exchange(query: *Select, op: database.Op) database.Error!database.Reply {
        if (query.is_malformed) return bson.invalid("the cursor is malformed");
        var head = database.beginHead();
        head.add("store", query.store);
        if (query.filter) |*filter| {
            if (filter.depth != filter_depth) host.abort("Select.any: not ended");
            head.addBytes("filter", .document, filter.copyClosed());
        }
        if (query.limit_count) |value| head.add("limit", value);
        if (query.skip_count) |value| head.add("skip", value);
        if (op == .query) {
            if (query.sort) |*sort| head.addBytes("sort", .array, sort.copyClosed());
            if (query.names) |*names| head.addBytes("fields", .array, names.copyClosed());
            if (query.cursor) |cursor| head.add("after", bson.Binary{ .bytes = cursor });
        }
        head.close();
        return database.exchange(&head.buffer, op, 1);
    }
};

fn arrayOf(list: *?builder.Builder) *builder.Builder {
    if (list.* == null) list.* = builder.Builder.initArray();
    return &list.*.?;
}

pub const Result = struct {
    count: u32, // documents in this result
    cursor: ?[]const u8, // of what follows; null when nothing does
    rest: []const u8,

    pub fn next(result: *Result) ?bson.Document {
        if (result.rest.len == 0) return null;
        const size = database.sizeOfDocument(result.rest);
        const document: bson.Document = .{ .bytes = result.rest[0..size] };
        result.rest = result.rest[size..];
        return document;
    }
};
