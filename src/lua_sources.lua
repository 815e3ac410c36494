-- Writes the Lua layer as C data: lua5.4 src/lua_sources.lua lua/ampersand.lua … > lua_sources.c

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- Numbers rather than a literal: C99 promises only 4,095 characters in a string.
local function bytes(text)
  local lines = {}
  for from = 1, #text, 24 do
    lines[#lines + 1] = "    " .. table.concat({ text:byte(from, from + 23) }, ",") .. ","
  end
  return table.concat(lines, "\n")
end

print '#include "lua_sources.h"\n'
local entries = {}
for i, path in ipairs(arg) do
  local text, below = read(path), path:gsub("^lua/", "")
  print(("static const unsigned char text_%d[] = {\n%s\n};\n"):format(i, bytes(text)))
  local name = below:gsub("%.lua$", ""):gsub("/", ".")
  entries[i] = ('    {"%s", "=%s", (const char *)text_%d, %d},'):format(name, below, i, #text)
end
print "const struct amp_lua_source amp_lua_sources[] = {"
print(table.concat(entries, "\n"))
print "    {0, 0, 0, 0},\n};"
