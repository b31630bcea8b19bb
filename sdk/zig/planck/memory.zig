// SPDX-License-Identifier: Apache-2.0
//! The request's arena: all memory behind the module's own, given out one piece after the other and
//! taken back whole when the next request begins.
const std = @import("std");
const host = @import("host.zig");

const page = std.wasm.page_size;
const growth_pages = 4; // what memory grows by at least
const allocation_max = 1 << 30;

var next: usize = 0; // aligned to 8
var end: usize = 0; // of memory
var floor: usize = 0;

fn align8(size: usize) usize {
    return (size + 7) & ~@as(usize, 7);
}

fn open() void {
    if (end != 0) return;
    end = @wasmMemorySize(0) * page;
    next = end;
    floor = end;
}

pub fn reset() void {
    open();
    next = floor;
}

/// What was allocated up to now stays.
pub fn keep() void {
    floor = next;
}

/// Makes `size` bytes available behind `next`.
fn reach(size: usize) bool {
    return size <= end - next or grow(size);
}

fn grow(size: usize) bool {
    @branchHint(.cold);
    open();
    if (size <= end - next) return true;
    if (size > allocation_max) return false;
    const needed = (size - (end - next) + page - 1) / page;
    const wanted = @max(needed, growth_pages, end / page / 4);
    return growBy(wanted) or (wanted > needed and growBy(needed));
}

fn growBy(pages: usize) bool {
    // One page is never asked for: with it, the end of memory would be address 0.
    if (pages >= 65536 - @wasmMemorySize(0)) return false;
    const before = @wasmMemoryGrow(0, pages);
    if (before < 0) return false;
    if (@as(usize, @intCast(before)) * page != end)
        host.abort("memory has grown beside the arena: use planck.allocator");
    end += pages * page;
    return true;
}

/// Aligned to 8, not zeroed; null when there is no more memory.
pub fn tryAllocate(size: usize) ?[]u8 {
    if (size > allocation_max or !reach(align8(size))) return null;
    const start: [*]u8 = @ptrFromInt(next);
    next += align8(size);
    return start[0..size];
}

pub fn allocate(size: usize) []u8 {
    return tryAllocate(size) orelse host.abort("out of memory");
}

pub fn create(comptime T: type) *T {
    comptime std.debug.assert(@alignOf(T) <= 8);
    return @ptrCast(@alignCast(allocate(@sizeOf(T)).ptr));
}

/// All memory that there is behind what was allocated, at least `size` bytes, not yet allocated.
pub fn rest(size: usize) []u8 {
    if (!reach(size)) host.abort("out of memory");
    const start: [*]u8 = @ptrFromInt(next);
    return start[0 .. end - next];
}

fn isLast(bytes: []const u8) bool {
    return bytes.len > 0 and @intFromPtr(bytes.ptr) + align8(bytes.len) == next;
}

/// Grows or shrinks the last allocation in place.
fn resizeLast(bytes: []u8, size: usize) bool {
    if (!isLast(bytes)) return size <= bytes.len;
    if (size > bytes.len and !reach(align8(size) - align8(bytes.len))) return false;
    next = @intFromPtr(bytes.ptr) + align8(size);
    return true;
}

/// Bytes that grow, in place while nothing was allocated behind them.
pub const Buffer = struct {
    data: []u8 = &.{},
    size: usize = 0,

    pub fn bytes(buffer: *const Buffer) []u8 {
        return buffer.data[0..buffer.size];
    }

    /// Room for `extra` bytes, which commit() makes part of the buffer.
    pub fn reserve(buffer: *Buffer, extra: usize) []u8 {
        if (extra > buffer.data.len - buffer.size) buffer.growBuffer(extra);
        return buffer.data[buffer.size..];
    }

    pub fn commit(buffer: *Buffer, size: usize) void {
        buffer.size += size;
    }

    pub fn append(buffer: *Buffer, more: []const u8) void {
        @memcpy(buffer.reserve(more.len)[0..more.len], more);
        buffer.size += more.len;
    }

    pub fn appendByte(buffer: *Buffer, byte: u8) void {
        buffer.reserve(1)[0] = byte;
        buffer.size += 1;
    }

    pub fn appendInt(buffer: *Buffer, comptime T: type, value: T) void {
        std.mem.writeInt(T, buffer.reserve(@sizeOf(T))[0..@sizeOf(T)], value, .little);
        buffer.size += @sizeOf(T);
    }

    pub fn appendDecimal(buffer: *Buffer, value: anytype) void {
        buffer.size += std.fmt.printInt(buffer.reserve(24), value, 10, .lower, .{});
    }

    /// Gives back what the finished buffer does not need.
    pub fn seal(buffer: *Buffer) []u8 {
        if (isLast(buffer.data)) {
            _ = resizeLast(buffer.data, buffer.size);
            buffer.data = buffer.data[0..buffer.size];
        }
        return buffer.bytes();
    }

    fn growBuffer(buffer: *Buffer, extra: usize) void {
        @branchHint(.cold);
        if (extra > allocation_max) host.abort("out of memory");
        const needed = align8(buffer.size + extra);
        const wanted = @max(needed, buffer.data.len * 2, 256);
        if (!buffer.setCapacity(wanted) and !buffer.setCapacity(needed)) host.abort("out of memory");
    }

    fn setCapacity(buffer: *Buffer, capacity: usize) bool {
        if (buffer.data.len > 0 and isLast(buffer.data)) {
            if (!resizeLast(buffer.data, capacity)) return false;
            buffer.data.len = capacity;
            return true;
        }
        const moved = tryAllocate(capacity) orelse return false;
        @memcpy(moved[0..buffer.size], buffer.bytes());
        buffer.data = moved;
        return true;
    }
};

// ---- the same arena for the standard library

pub const allocator: std.mem.Allocator = .{ .ptr = undefined, .vtable = &.{
    .alloc = alloc,
    .resize = resize,
    .remap = remap,
    .free = free,
} };

fn alloc(_: *anyopaque, len: usize, alignment: std.mem.Alignment, _: usize) ?[*]u8 {
    const extra = if (alignment.toByteUnits() > 8) alignment.toByteUnits() else 0;
    const bytes = tryAllocate(len + extra) orelse return null;
    return @ptrFromInt(alignment.forward(@intFromPtr(bytes.ptr)));
}

fn resize(_: *anyopaque, bytes: []u8, _: std.mem.Alignment, new_len: usize, _: usize) bool {
    return resizeLast(bytes, new_len);
}

fn remap(_: *anyopaque, bytes: []u8, _: std.mem.Alignment, new_len: usize, _: usize) ?[*]u8 {
    return if (resizeLast(bytes, new_len)) bytes.ptr else null;
}

fn free(_: *anyopaque, _: []u8, _: std.mem.Alignment, _: usize) void {}
