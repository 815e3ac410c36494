/*
 * One text in two chunkings, through decoders with and without filter, projection and path: the
 * same elements, the same errors. And what is decoded, encoded and decoded again stays equal.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "ampersand.h"
#include "lua_compat.h"

static const char program[] =
    "local core = ...\n"
    "local plan = core.plan { tests = { { op = 'in', operands = { 'a', 1, true } }, { op = "
    "'present', any = true } },\n"
    "  program = { 1, 2, 'or' }, where = { names = { 'a', { tests = { 1 }, resets = { 1 } } }, "
    "star = { tests = { 2 } } },\n"
    "  select = { names = { 'b', { keep = true }, 'a', { star = { keep = true } } } } }\n"
    "local settings = { {}, { expect = 'any' }, { plan = plan }, { path = { 'a' } }, { path = { "
    "'a', 'b' }, plan = plan },\n"
    "  { nulls = 'drop', max_depth = 5, max_element_bytes = 40, max_element_values = 9 } }\n"
    "local function read(text, options, step)\n"
    "  local decoder, list, at = core.decoder(options), core.array {}, 1\n"
    "  while at <= #text do\n"
    "    local size = step(at)\n"
    "    decoder:feed(text:sub(at, at + size - 1))\n"
    "    at = at + size\n"
    "    local status, message = decoder:collect(list)\n"
    "    if not status then return list, message end\n"
    "  end\n"
    "  decoder:finish()\n"
    "  local status, message = decoder:collect(list)\n"
    "  return list, not status and message or nil\n"
    "end\n"
    "return function(text)\n"
    "  for i, options in ipairs(settings) do\n"
    "    local whole, problem = read(text, options, function() return #text end)\n"
    "    local pieces, other = read(text, options, function(at) return 1 + text:byte(at) % 23 "
    "end)\n"
    "    if problem ~= other then error(i .. ': ' .. tostring(problem) .. ' / ' .. "
    "tostring(other)) end\n"
    "    if core.encode(whole, { sort_keys = true }) ~= core.encode(pieces, { sort_keys = true }) "
    "then error 'elements differ' end\n"
    "  end\n"
    "  local value, problem = core.decode(text)\n"
    "  if value == nil and not problem then error 'neither value nor error' end\n"
    "  local said = value ~= nil and core.encode(value, { sort_keys = true })\n"
    "  if said and core.encode(core.decode(said), { sort_keys = true }) ~= said then error 'not "
    "the same again' end\n"
    "end\n";

static lua_State *start(void)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_pushcfunction(L, luaopen_ampersand_core);
    lua_call(L, 0, 1);
    if (luaL_loadstring(L, program))
        abort();
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return L;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lua_State *L;
    if (!L)
        L = start();
    lua_pushvalue(L, 1);
    lua_pushlstring(L, (const char *)data, size);
    if (lua_pcall(L, 1, 0, 0)) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        abort();
    }
    return 0;
}
