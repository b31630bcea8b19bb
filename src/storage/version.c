// SPDX-License-Identifier: Apache-2.0
#include "storage/version.h"

#include <stdlib.h>

struct storage_version *version_new(uint64_t number, const struct catalog *catalog,
                                    struct generation *first, struct generation *const *rest,
                                    size_t rest_count) {
    size_t count = rest_count + (first != NULL);
    ASSERT(count > 0);
    struct storage_version *version =
        malloc(sizeof *version + count * sizeof version->generations[0]);
    if (version == NULL) return NULL;
    atomic_init(&version->reference_count, 1);
    version->number = number;
    version->catalog = catalog_ref(catalog);
    version->generation_count = 0;
    if (first != NULL) version->generations[version->generation_count++] = generation_ref(first);
    for (size_t i = 0; i < rest_count; i++)
        version->generations[version->generation_count++] = generation_ref(rest[i]);
    return version;
}

struct storage_version *version_ref(struct storage_version *version) {
    uint64_t before = atomic_fetch_add_explicit(&version->reference_count, 1, memory_order_relaxed);
    ASSERT(before > 0);
    return version;
}

bool version_drop(struct storage_version *version) {
    uint64_t before = atomic_fetch_sub_explicit(&version->reference_count, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    return before == 1;
}

void version_free(struct storage_version *version) {
    for (size_t i = 0; i < version->generation_count; i++)
        generation_unref(version->generations[i]);
    catalog_unref(version->catalog);
    free(version);
}

void version_unref(struct storage_version *version) {
    if (version != NULL && version_drop(version)) version_free(version);
}
