/*
 * Memory: one interface for all that grows. A block is owned by the struct that holds its pointer
 * and its room; that struct also holds, or is reachable from, the allocator that made the block.
 *
 *     void *grown = amp_grow(&memory, block, &room, needed, sizeof *block);
 *     if (!grown)
 *         return false;                  // the old block is untouched
 *     block = grown;                     // room for `needed` items or more
 *     ...
 *     amp_free(&memory, block, room, sizeof *block);
 *
 * JSON allocates from the Lua state it serves, so that Lua's collector sees what is held; the HTTP
 * engine, which outlives errors of Lua, allocates from libc (amp_libc_memory).
 */
#ifndef AMP_MEMORY_H
#define AMP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

/* An allocator in the shape of lua_Alloc: new_size 0 frees, NULL means that memory ended. */
struct amp_memory {
    void *(*allocate)(void *context, void *block, size_t old_size, size_t new_size);
    void *context;
};

extern const struct amp_memory amp_libc_memory;

/* Makes room for `needed` items of `item` bytes at least, doubling. Returns NULL, the old block
 * untouched, when memory ends. A new block may be asked for with `block` NULL and `*room` 0. */
void *amp_grow(const struct amp_memory *memory, void *block, size_t *room, size_t needed,
               size_t item);

/* Frees a block, or NULL, of `room` items. */
void amp_free(const struct amp_memory *memory, void *block, size_t room, size_t item);

/* An array that grows at its end. Zero bytes and a size make an empty one. */
struct amp_vector {
    void *items;
    size_t size; /* bytes of an item */
    size_t used, room;
};

/* Adds `count` items, all bytes zero. Returns false, the vector unchanged, when memory ends. */
bool amp_vector_add(const struct amp_memory *memory, struct amp_vector *vector, size_t count);
void amp_vector_free(const struct amp_memory *memory, struct amp_vector *vector);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
