// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <stdlib.h>

// Odd constants with as many ones as zeros; any such will do.
#define HASH_K0 0x9e3779b97f4a7c15ULL
#define HASH_K1 0xc2b2ae3d27d4eb4fULL
#define HASH_K2 0xd6e8feb86659fd93ULL

uint64_t hash_bytes(struct bytes bytes, uint64_t seed) {
    const uint8_t *p = bytes.data;
    size_t left = bytes.size;
    uint64_t state = seed ^ HASH_K0;
    for (; left > 16; left -= 16, p += 16)
        state = hash_mix(load_le64(p) ^ HASH_K1, load_le64(p + 8) ^ state);
    uint64_t first = 0, second = 0;
    if (left >= 8) { // the two words overlap unless there are 16 bytes
        first = load_le64(p);
        second = load_le64(p + left - 8);
    } else if (left >= 4) {
        first = load_le32(p);
        second = load_le32(p + left - 4);
    } else if (left > 0) {
        first = (uint64_t)p[0] << 16 | (uint64_t)p[left / 2] << 8 | p[left - 1];
    }
    return hash_mix(HASH_K2 ^ bytes.size, hash_mix(first ^ HASH_K1, second ^ state));
}

// Open addressing with linear probing; at most three quarters full. A removal shifts later
// entries of the run back, so there are no tombstones.
struct map_entry {
    uint8_t *key;
    size_t key_size;
    uint64_t hash;
    void *value; // NULL: the slot is free
};

struct map {
    struct map_entry *slots;
    size_t slot_count; // a power of two
    size_t count;
};

enum { MAP_SLOTS_MIN = 16 };

struct map *map_new(void) {
    struct map *map = calloc(1, sizeof *map);
    if (map == NULL) return NULL;
    map->slot_count = MAP_SLOTS_MIN;
    map->slots = calloc(map->slot_count, sizeof *map->slots);
    if (map->slots == NULL) {
        free(map);
        return NULL;
    }
    return map;
}

void map_free(struct map *map) {
    if (map == NULL) return;
    for (size_t i = 0; i < map->slot_count; i++)
        if (map->slots[i].value != NULL) free(map->slots[i].key);
    free(map->slots);
    free(map);
}

static size_t slot_after(const struct map *map, size_t slot) {
    return (slot + 1) & (map->slot_count - 1);
}

static size_t home_slot(const struct map *map, uint64_t hash) {
    return (size_t)hash & (map->slot_count - 1);
}

// The slot that holds `key`, or the free one where it belongs.
static size_t find_slot(const struct map *map, struct bytes key, uint64_t hash) {
    size_t slot = home_slot(map, hash);
    while (map->slots[slot].value != NULL) {
        const struct map_entry *entry = &map->slots[slot];
        if (entry->hash == hash && bytes_equal(bytes_of(entry->key, entry->key_size), key)) break;
        slot = slot_after(map, slot);
    }
    return slot;
}

void *map_get(const struct map *map, struct bytes key) {
    return map->slots[find_slot(map, key, hash_bytes(key, 0))].value;
}

static bool map_grow(struct map *map) {
    struct map old = *map;
    struct map_entry *slots = calloc(old.slot_count * 2, sizeof *slots);
    if (slots == NULL) return false;
    map->slots = slots;
    map->slot_count = old.slot_count * 2;
    for (size_t i = 0; i < old.slot_count; i++) {
        if (old.slots[i].value == NULL) continue;
        size_t slot = home_slot(map, old.slots[i].hash);
        while (slots[slot].value != NULL) slot = slot_after(map, slot);
        slots[slot] = old.slots[i];
    }
    free(old.slots);
    return true;
}

bool map_put(struct map *map, struct bytes key, void *value) {
    ASSERT(value != NULL);
    uint64_t hash = hash_bytes(key, 0);
    size_t slot = find_slot(map, key, hash);
    if (map->slots[slot].value != NULL) {
        map->slots[slot].value = value;
        return true;
    }
    if ((map->count + 1) * 4 > map->slot_count * 3) {
        if (!map_grow(map)) return false;
        slot = find_slot(map, key, hash);
    }
    uint8_t *copy = malloc(key.size + 1);
    if (copy == NULL) return false;
    if (key.size > 0) memcpy(copy, key.data, key.size);
    map->slots[slot] =
        (struct map_entry){.key = copy, .key_size = key.size, .hash = hash, .value = value};
    map->count++;
    return true;
}

// Moves entries of the run after `hole` back into it, so that every probe still finds them.
static void close_hole(struct map *map, size_t hole) {
    size_t mask = map->slot_count - 1;
    for (size_t slot = slot_after(map, hole); map->slots[slot].value != NULL;
         slot = slot_after(map, slot)) {
        size_t home = home_slot(map, map->slots[slot].hash);
        if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
        map->slots[hole] = map->slots[slot];
        hole = slot;
    }
    map->slots[hole] = (struct map_entry){0};
}

void *map_remove(struct map *map, struct bytes key) {
    size_t slot = find_slot(map, key, hash_bytes(key, 0));
    void *value = map->slots[slot].value;
    if (value == NULL) return NULL;
    free(map->slots[slot].key);
    close_hole(map, slot);
    ASSERT(map->count > 0);
    map->count--;
    return value;
}

size_t map_count(const struct map *map) {
    return map->count;
}

bool map_next(const struct map *map, size_t *cursor, struct bytes *ret_key, void **ret_value) {
    while (*cursor < map->slot_count) {
        const struct map_entry *entry = &map->slots[(*cursor)++];
        if (entry->value == NULL) continue;
        *ret_key = bytes_of(entry->key, entry->key_size);
        *ret_value = entry->value;
        return true;
    }
    return false;
}
