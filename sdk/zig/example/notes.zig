// SPDX-License-Identifier: Apache-2.0
const std = @import("std");
const planck = @import("planck");

fn list(request: *planck.Request) !void {
    var query = planck.from("notes");
    query.orderBy("at", .descending);
    query.limit(20);
    var notes = try query.run();
    const page = request.html();
    page.raw("<form method=post><input name=text></form><ul>");
    while (notes.next()) |note| {
        page.raw("<li>");
        page.escape(note.text("text") orelse "");
    }
    page.raw("</ul>");
}

fn add(request: *planck.Request) !void {
    const text = std.mem.trim(u8, request.form("text") orelse "", " ");
    if (text.len == 0) return request.fail(400, "invalid", "text is missing");
    _ = try planck.insert("notes", .{ .text = text, .at = planck.Date.now() });
    request.redirect(303, "/");
}

comptime {
    _ = planck.Service(.{
        .name = "notes",
        .version = "1.0.0",
        .stores = &.{.{ .name = "notes" }},
        .indexes = &.{.{ .store = "notes", .name = "by_at", .field = "at" }},
        .routes = &.{ planck.get("/", list), planck.post("/", add) },
    });
}
