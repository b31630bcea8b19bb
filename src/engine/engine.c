// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "engine/session.h"

struct engine {
    struct storage *storage;
    struct clock *clock;
    struct random_source *random;
};

enum status engine_open(const char *path, const struct storage_options *options,
                        struct engine **ret, struct error *error) {
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for the engine");
    engine->clock = options->clock != NULL ? options->clock : clock_system();
    engine->random = options->random != NULL ? options->random : random_system();
    enum status status = storage_open(path, options, &engine->storage, error);
    if (status != STATUS_OK) {
        free(engine);
        return status;
    }
    *ret = engine;
    return STATUS_OK;
}

void engine_close(struct engine *engine) {
    if (engine == NULL) return;
    storage_close(engine->storage);
    free(engine);
}

struct storage *engine_storage(struct engine *engine) {
    return engine->storage;
}

enum status session_open(struct engine *engine, enum permission role, struct session **ret) {
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL) return STATUS_NO_MEMORY;
    session->engine = engine;
    session->storage = engine->storage;
    session->clock = engine->clock;
    session->role = role;
    session->uuids = (struct uuid_generator){.clock = engine->clock, .random = engine->random};
    enum status status = reader_open(engine->storage, &session->reader);
    if (status != STATUS_OK) {
        free(session);
        return status;
    }
    *ret = session;
    return STATUS_OK;
}

void session_close(struct session *session) {
    if (session == NULL) return;
    ASSERT(session->calls == 0);
    reader_close(session->reader);
    free(session);
}

void session_idle(struct session *session, bool always) {
    reader_idle(session->reader, always);
}
