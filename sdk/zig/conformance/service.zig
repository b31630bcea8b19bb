// SPDX-License-Identifier: Apache-2.0
//! The conformance service in Zig: tests/e2e/conformance/README.md says what each route does.
const std = @import("std");
const planck = @import("planck");

pub const panic = planck.panic;

// ---- requests and responses

fn hello(request: *planck.Request, name: []const u8) void {
    const page = request.html();
    page.raw("<h1>Hello, ");
    page.escape(name);
    page.raw("</h1>");
}

fn echo(request: *planck.Request) void {
    request.respond(.{
        .method = request.method(),
        .path = request.path(),
        .query = .{ .a = request.query("a"), .b = request.query("b"), .@"ä" = request.query("ä") },
        .header = request.header("x-test"),
        .cookie = request.cookie("session"),
        .json = request.isJson(),
        .html = request.prefersHtml(),
    });
}

fn form(request: *planck.Request) void {
    var json = request.jsonWriter();
    json.begin("", .object);
    json.add("name", request.form("name"));
    json.begin("fields", .array);
    var fields = request.formFields();
    while (fields.next()) |field| json.add("", field);
    json.end();
    json.end();
}

fn parse(request: *planck.Request) !void {
    request.respond(try request.document());
}

fn bodySize(request: *planck.Request) void {
    const body = request.body();
    var sum: u64 = 0;
    for (body) |byte| sum += byte;
    request.respond(.{ .size = body.len, .sum = sum });
}

fn values(request: *planck.Request) void {
    request.respond(.{
        .text = "é \"\\/\n\x01</script> 𝄞",
        .least = std.math.minInt(i64),
        .most = std.math.maxInt(i64),
        .doubles = [_]f64{ 0.1, -1.5e300, 5e-324, 100, std.math.inf(f64) },
        .yes = true,
        .no = false,
        .nothing = null,
        .empty = [_]bool{},
        .object = planck.Document.empty,
    });
}

fn redirect(request: *planck.Request) void {
    request.redirect(303, request.query("to") orelse "/hello/you");
}

fn status(request: *planck.Request, code: u16) void {
    if (code < 200 or code > 599) return request.fail(400, "invalid", "code is 200 to 599");
    request.setStatus(code);
    request.setHeader("X-Conformance", "yes");
    request.setHeader("Set-Cookie", "a=1; Path=/");
    request.setHeader("Set-Cookie", "b=2; HttpOnly");
    if (code != 204 and code != 304) request.plain().raw("status");
}

fn bytes(request: *planck.Request) void {
    var all: [256]u8 = undefined;
    for (&all, 0..) |*byte, value| byte.* = @intCast(value);
    request.begin("application/octet-stream").raw(&all);
}

// ---- notes: one store, a query

fn addNote(request: *planck.Request) !void {
    const body = try request.document();
    const title = std.mem.trim(u8, body.text("title") orelse "", " \t\r\n");
    if (title.len == 0) return request.fail(400, "invalid", "title is missing");
    var note = planck.Builder.init();
    note.add("_id", planck.Uuid.new());
    note.add("title", title);
    note.add("rank", body.read(i64, "rank") orelse 0);
    if (body.get("tags")) |tags| note.add("tags", tags);
    note.add("at", planck.Date{ .ms = 1767323045678 });
    const document = note.finish();
    const id = try planck.insert("notes", document);
    request.setStatus(201);
    request.respond(document);
    request.setHeader("X-Id", &id.uuid.text());
}

fn findNote(request: *planck.Request, id: planck.Uuid) !void {
    request.respond(try planck.find("notes", id));
}

fn updateNote(request: *planck.Request, id: planck.Uuid) !void {
    request.respond(try planck.update("notes", id, try request.document()));
}

fn deleteNote(request: *planck.Request, id: planck.Uuid) !void {
    try planck.remove("notes", id);
    request.setStatus(204);
}

/// The conditions that the query string names.
fn selectNotes(request: *planck.Request) !planck.Select {
    var query = planck.from("notes");
    if (request.query("title")) |title| query.where("title", .contains_any_case, title);
    if (request.query("tag")) |tag| query.where("tags", .contains, tag);
    if (try request.queryAs(i64, "min")) |rank| query.where("rank", .ge, rank);
    if (try request.queryAs(i32, "outside")) |rank| {
        query.any();
        query.where("rank", .lt, -rank);
        query.where("rank", .gt, rank);
        query.end();
    }
    return query;
}

fn listNotes(request: *planck.Request) !void {
    var query = try selectNotes(request);
    const down = std.mem.eql(u8, request.query("order") orelse "", "down");
    query.orderBy("rank", if (down) .descending else .ascending);
    query.limit(try request.queryAs(i64, "limit") orelse 20);
    query.after(request.query("after"));
    if (request.query("short") != null) query.field("title");
    var result = try query.run();
    var json = request.jsonWriter();
    json.begin("", .object);
    json.begin("notes", .array);
    while (result.next()) |note| json.add("", note);
    json.end();
    json.add("next", result.cursor);
    json.end();
}

fn countNotes(request: *planck.Request) !void {
    var query = try selectNotes(request);
    request.respond(.{ .count = try query.count() });
}

// ---- accounts: several writes at once

const Account = struct { _id: []const u8, balance: i64 = 0 };

fn putAccount(request: *planck.Request, name: []const u8) !void {
    const body = try request.read(struct { balance: i64 = 0 });
    const account: Account = .{ ._id = name, .balance = body.balance };
    try planck.putDocument("accounts", account);
    request.respond(account);
}

fn findAccount(request: *planck.Request, name: []const u8) !void {
    request.respond(try planck.find("accounts", name));
}

const Transfer = struct { from: []const u8, to: []const u8, amount: i64, receipt: ?[]const u8 };

fn transfer(request: *planck.Request) !void {
    const order = try request.read(Transfer);
    var from = try (try planck.find("accounts", order.from)).to(Account);
    var to = try (try planck.find("accounts", order.to)).to(Account);
    if (from.balance < order.amount) return request.fail(409, "insufficient", "not enough");
    from.balance -= order.amount;
    to.balance += order.amount;
    var batch = planck.Batch.init();
    batch.replace("accounts", from);
    batch.replace("accounts", to);
    if (planck.Uuid.parse(order.receipt orelse "")) |receipt|
        batch.insert("notes", .{ ._id = receipt, .title = "receipt" });
    try batch.commit();
    request.respond(to);
}

// ---- the host

fn log(request: *planck.Request) !void {
    const line = try request.read(struct { level: i64, message: []const u8 });
    switch (line.level) {
        1 => planck.log.info("{s}", .{line.message}),
        2 => planck.log.warn("{s}", .{line.message}),
        else => planck.log.err("{s}", .{line.message}),
    }
    request.setStatus(204);
}

fn now(request: *planck.Request) void {
    var random: [8]u8 = undefined;
    planck.random(&random);
    request.respond(.{
        .ms = planck.nowMs(),
        .date = planck.Date.now(),
        .id = planck.Uuid.new(),
        .random = std.mem.readInt(i64, &random, .little),
    });
}

fn date(request: *planck.Request, ms: i64) void {
    request.respond(planck.document(.{ .date = planck.Date{ .ms = ms } }));
}

var service_name: ?[]const u8 = null;

fn init(config: planck.Document) void {
    service_name = config.text("service");
}

fn service(request: *planck.Request) void {
    request.respond(.{ .service = service_name });
}

fn abort(request: *planck.Request) void {
    request.plain().raw("never sent");
    planck.abort("conformance abort");
}

fn trap(request: *planck.Request) void {
    request.plain().raw("never sent");
    @trap();
}

comptime {
    _ = planck.Service(.{
        .name = "conformance",
        .version = "1.0.0",
        .init = init,
        .stores = &.{ .{ .name = "notes" }, .{ .name = "accounts", .key_type = .string } },
        .indexes = &.{.{ .store = "notes", .name = "by_rank", .field = "rank" }},
        .routes = &.{
            planck.get("/hello/:name", hello),
            planck.get("/echo", echo),
            planck.post("/echo", echo),
            planck.put("/echo", echo),
            planck.patch("/echo", echo),
            planck.delete("/echo", echo),
            planck.post("/form", form),
            planck.post("/json", parse),
            planck.post("/size", bodySize),
            planck.get("/values", values),
            planck.get("/redirect", redirect),
            planck.get("/status/:code", status),
            planck.get("/bytes", bytes),
            planck.post("/notes", addNote),
            planck.get("/notes", listNotes),
            planck.get("/notes/count", countNotes),
            planck.get("/notes/:id", findNote),
            planck.put("/notes/:id", updateNote),
            planck.delete("/notes/:id", deleteNote),
            planck.put("/accounts/:name", putAccount),
            planck.get("/accounts/:name", findAccount),
            planck.post("/transfer", transfer),
            planck.post("/log", log),
            planck.get("/now", now),
            planck.get("/date/:ms", date),
            planck.get("/service", service),
            planck.get("/abort", abort),
            planck.get("/trap", trap),
        },
    });
}
