// SPDX-License-Identifier: Apache-2.0
//! The Zig guest library of Planck: write a service as functions, compile it to one `.wasm`.
//!
//!     const planck = @import("planck");
//!     fn hello(request: *planck.Request, name: []const u8) void {
//!         const page = request.html();
//!         page.raw("<h1>Hello, ");
//!         page.escape(name);
//!         page.raw("</h1>");
//!     }
//!     comptime {
//!         _ = planck.Service(.{
//!             .name = "hello",
//!             .version = "1.0.0",
//!             .routes = &.{planck.get("/hello/:name", hello)},
//!         });
//!     }
//!
//! Memory. Everything that these functions return lives until the handler returns: it lies in a
//! per-request arena (`allocator`) that is then reset, so nothing is freed and nothing leaks.
//! Running out of memory ends the request with a 500; no function here returns OutOfMemory.
//! Reading documents and requests allocates nothing: values point into the request or the reply.

const bson = @import("planck/bson.zig");
const builder = @import("planck/builder.zig");
const database = @import("planck/database.zig");
const encoding = @import("planck/encoding.zig");
const host = @import("planck/host.zig");
const json = @import("planck/json.zig");
const memory = @import("planck/memory.zig");
const output = @import("planck/output.zig");
const query = @import("planck/query.zig");
const requests = @import("planck/request.zig");
const service = @import("planck/service.zig");

// ---- services: what it is, its stores, its routes (the manifest)
pub const Service = service.Service;
pub const Options = service.Options;
pub const Store = service.Store;
pub const Index = service.Index;
pub const Route = service.Route;
pub const get = service.get;
pub const post = service.post;
pub const put = service.put;
pub const patch = service.patch;
pub const delete = service.delete;
pub const route = service.route;

// ---- requests and responses
pub const Request = requests.Request;
pub const Method = requests.Method;
pub const Fields = requests.Fields;
pub const Out = output.Out;
pub const Json = output.Json;

// ---- documents
pub const Document = bson.Document;
pub const Array = bson.Array;
pub const Value = bson.Value;
pub const Binary = bson.Binary;
pub const Date = bson.Date;
pub const Uuid = bson.Uuid;
pub const Builder = builder.Builder;
/// A document of a struct: `document(.{ ._id = planck.Uuid.new(), .title = title })`.
pub const document = builder.document;
pub const parseJson = json.parse;
pub const writeUuid = encoding.writeUuid;

// ---- database
pub const Error = database.Error;
/// The message of the last operation that failed in this request.
pub const errorMessage = database.errorMessage;
pub const find = database.find;
pub const insert = database.insert;
pub const putDocument = database.put;
pub const replace = database.replace;
pub const update = database.update;
pub const remove = database.remove;
pub const Batch = database.Batch;
pub const from = query.from;
pub const Select = query.Select;
pub const Compare = query.Compare;
pub const Direction = query.Direction;
pub const Result = query.Result;

// ---- the host
pub const log = host.log;
pub const nowMs = host.nowMs;
pub const random = host.random;
/// Ends the request with a 500 and its reason in the log.
pub const abort = host.abort;
/// In the root file, `pub const panic = planck.panic;` writes the reason of a panic to the log.
pub const panic = host.panic;
/// The request's arena. Freeing does nothing.
pub const allocator = memory.allocator;
