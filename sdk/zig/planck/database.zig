// SPDX-License-Identifier: Apache-2.0
//! Packets to the engine and its replies (docs/PROTOCOL.md); operations on documents, and batches.
const std = @import("std");
const bson = @import("bson.zig");
const builder = @import("builder.zig");
const host = @import("host.zig");
const memory = @import("memory.zig");

pub const Error = error{
    Invalid,
    NotFound,
    DuplicateKey,
    Conflict,
    NoStore,
    Forbidden,
    TooLarge,
    Unsupported,
    ReadOnly,
    DatabaseFailed, // any other: errorMessage() says what
};

pub fn errorMessage() []const u8 {
    return bson.last_error;
}

fn errorOf(status: u32) ?Error {
    return switch (status) {
        0 => null,
        1 => error.Invalid,
        2 => error.NotFound,
        3 => error.DuplicateKey,
        4 => error.Conflict,
        5 => error.NoStore,
        8 => error.Forbidden,
        9 => error.TooLarge,
        10 => error.Unsupported,
        21 => error.ReadOnly,
        else => error.DatabaseFailed,
    };
}

pub const Op = enum(u16) {
    insert = 10,
    get = 11,
    replace = 12,
    update = 13,
    delete = 14,
    query = 15,
    count = 16,
    put = 17,
    write = 18,
};

const header_size = 24;
const flag_trailer = 4;
const reply_room_min = 16384;

pub const Reply = struct {
    count: u32,
    documents: []const u8, // one behind the other, `count` of them
    trailer: bson.Document,

    fn first(reply: Reply) bson.Document {
        if (reply.count == 0) malformed();
        return .{ .bytes = reply.documents[0..sizeOfDocument(reply.documents)] };
    }
};

fn malformed() noreturn {
    host.abort("a reply is malformed");
}

/// The size of the document that `bytes` begin with.
pub fn sizeOfDocument(bytes: []const u8) usize {
    if (bytes.len < 5) malformed();
    const size = std.mem.readInt(u32, bytes[0..4], .little);
    if (size < 5 or size > bytes.len) malformed();
    return size;
}

/// A builder of the head document, behind room for the packet's header.
pub fn beginHead() builder.Builder {
    var packet: memory.Buffer = .{};
    @memset(packet.reserve(header_size)[0..header_size], 0);
    packet.commit(header_size);
    return builder.Builder.initBehind(packet);
}

fn beginHeadOf(store: []const u8) builder.Builder {
    var head = beginHead();
    head.add("store", store);
    return head;
}

/// Sends the packet, which holds the head and `count` - 1 documents, and waits for its reply.
pub fn exchange(packet: *memory.Buffer, op: Op, count: u32) Error!Reply {
    const bytes = packet.seal();
    std.mem.writeInt(u32, bytes[0..4], @intCast(bytes.len), .little);
    std.mem.writeInt(u16, bytes[4..6], @backingInt(op), .little);
    std.mem.writeInt(u32, bytes[20..24], count, .little);
    var status: u32 = undefined;
    const reply = readReply(transfer(bytes, &status));
    if (errorOf(status)) |failure| {
        bson.last_error = reply.trailer.text("message") orelse "";
        return failure;
    }
    return reply;
}

/// Replies go straight to the arena's end, into all memory that there is, so that a second call for
/// the rest is rare.
fn transfer(packet: []const u8, status: *u32) []const u8 {
    const room = memory.rest(reply_room_min);
    const capacity: u32 = @intCast(room.len);
    var result = host.imports.host_request(packet.ptr, packet.len, room.ptr, capacity);
    if (result & host.pending != 0) result = host.imports.host_wait(room.ptr, capacity);
    const size: u32 = @truncate(result);
    const reply = memory.allocate(size); // from `room` on; memory grows in place
    if (size > capacity) {
        const more = size - capacity;
        if (host.imports.host_reply_read(capacity, reply.ptr + capacity, more) != more)
            host.abort("a reply was cut short");
    }
    status.* = @truncate(result >> 32 & 0x3fffffff);
    return reply;
}

fn readReply(bytes: []const u8) Reply {
    if (bytes.len < header_size) malformed();
    const flags = std.mem.readInt(u16, bytes[6..8], .little);
    const count = std.mem.readInt(u32, bytes[20..24], .little);
    var rest = bytes[header_size..];
    for (0..count) |_| rest = rest[sizeOfDocument(rest)..];
    const trailer = if (flags & flag_trailer != 0) rest[0..sizeOfDocument(rest)] else bson.Document.empty.bytes;
    const documents = bytes[header_size .. bytes.len - rest.len];
    return .{ .count = count, .documents = documents, .trailer = .{ .bytes = trailer } };
}

// ---- operations. A document is a Document or a struct; a key a Uuid, an integer or a text.

fn asDocument(value: anytype) bson.Document {
    return if (@TypeOf(value) == bson.Document) value else builder.document(value);
}

fn sendDocument(store: []const u8, op: Op, value: anytype) Error!Reply {
    const document = asDocument(value);
    var head = beginHeadOf(store);
    head.close();
    head.buffer.append(document.bytes);
    return exchange(&head.buffer, op, 2);
}

fn sendKey(store: []const u8, op: Op, key: anytype) Error!Reply {
    var head = beginHeadOf(store);
    head.add("id", key);
    head.close();
    return exchange(&head.buffer, op, 1);
}

/// error.NotFound when there is none.
pub fn find(store: []const u8, key: anytype) Error!bson.Document {
    return (try sendKey(store, .get, key)).first();
}

/// The id: `_id` is generated when absent in a store of UUIDs.
pub fn insert(store: []const u8, document: anytype) Error!bson.Value {
    const reply = try sendDocument(store, .insert, document);
    return reply.trailer.get("ids.0") orelse malformed();
}

/// Inserts or replaces.
pub fn put(store: []const u8, document: anytype) Error!void {
    _ = try sendDocument(store, .put, document);
}

pub fn replace(store: []const u8, document: anytype) Error!void {
    _ = try sendDocument(store, .replace, document);
}

/// Sets the fields of `changes` (dotted names allowed); the new document.
pub fn update(store: []const u8, key: anytype, changes: anytype) Error!bson.Document {
    var head = beginHeadOf(store);
    head.add("id", key);
    head.add("set", asDocument(changes));
    head.close();
    return (try exchange(&head.buffer, .update, 1)).first();
}

pub fn remove(store: []const u8, key: anytype) Error!void {
    _ = try sendKey(store, .delete, key);
}

/// Several writes, in any stores, that happen together or not at all.
pub const Batch = struct {
    head: builder.Builder, // open: {"writes": [
    documents: memory.Buffer = .{},
    count: u32 = 0,
    document_count: u32 = 0,

    pub fn init() Batch {
        var batch: Batch = .{ .head = beginHead() };
        batch.head.begin("writes", .array);
        return batch;
    }

    pub fn insert(batch: *Batch, store: []const u8, document: anytype) void {
        batch.addDocument("insert", store, asDocument(document));
    }

    pub fn put(batch: *Batch, store: []const u8, document: anytype) void {
        batch.addDocument("put", store, asDocument(document));
    }

    pub fn replace(batch: *Batch, store: []const u8, document: anytype) void {
        batch.addDocument("replace", store, asDocument(document));
    }

    pub fn remove(batch: *Batch, store: []const u8, key: anytype) void {
        batch.head.add("", .{ .op = "delete", .store = store, .id = key });
        batch.count += 1;
    }

    /// Committing again does nothing.
    pub fn commit(batch: *Batch) Error!void {
        if (batch.count == 0) return;
        batch.count = 0;
        batch.head.close();
        batch.head.close();
        batch.head.buffer.append(batch.documents.bytes());
        _ = try exchange(&batch.head.buffer, .write, 1 + batch.document_count);
    }

    fn addDocument(batch: *Batch, op: []const u8, store: []const u8, document: bson.Document) void {
        batch.head.add("", .{ .op = op, .store = store });
        batch.documents.append(document.bytes);
        batch.count += 1;
        batch.document_count += 1;
    }
};
