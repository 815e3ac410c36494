#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *allocate_from_libc(void *context, void *block, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size)
        return realloc(block, new_size);
    free(block);
    return NULL;
}

const struct amp_memory amp_libc_memory = {allocate_from_libc, NULL};

void *amp_grow(const struct amp_memory *memory, void *block, size_t *room, size_t needed,
               size_t item)
{
    size_t wanted = *room ? *room : 16;
    while (wanted < needed)
        wanted += wanted <= SIZE_MAX / 4 ? wanted : needed - wanted;
    if (wanted > SIZE_MAX / item)
        return NULL;
    void *grown = memory->allocate(memory->context, block, *room * item, wanted * item);
    if (grown)
        *room = wanted;
    return grown;
}

void amp_free(const struct amp_memory *memory, void *block, size_t room, size_t item)
{
    if (block)
        memory->allocate(memory->context, block, room * item, 0);
}

bool amp_vector_add(const struct amp_memory *memory, struct amp_vector *v, size_t count)
{
    if (count == 0)
        return true;
    if (v->room - v->used < count) {
        void *grown = amp_grow(memory, v->items, &v->room, v->used + count, v->size);
        if (!grown)
            return false;
        v->items = grown;
    }
    memset((char *)v->items + v->used * v->size, 0, count * v->size);
    v->used += count;
    return true;
}

void amp_vector_free(const struct amp_memory *memory, struct amp_vector *v)
{
    amp_free(memory, v->items, v->room, v->size);
    v->items = NULL;
    v->used = v->room = 0;
}
