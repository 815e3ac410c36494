-- Brings both rockspecs up to date with the files: lua5.4 .ci/rockspecs.lua (make rockspecs).
-- The scm one is the original: only its lists are written anew. The release differs in version and source alone.

local SCM = "ampersand-scm-1.rockspec"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function files(command)
  local pipe = assert(io.popen(command))
  local list = {}
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  table.sort(list)
  return list
end

local function lua_modules()
  local lines = {}
  for i, path in ipairs(files "find lua -name '*.lua'") do
    lines[i] = ('    ["%s"] = "%s",\n'):format(path:match "^lua/(.*)%.lua$":gsub("/", "."), path)
  end
  table.sort(lines)
  return table.concat(lines)
end

local function sources(pattern)
  local list = files("ls " .. pattern)
  for i, path in ipairs(list) do list[i] = '"' .. path .. '"' end
  return table.concat(list, ", ")
end

local SOURCES = {
  core = "src/json_*.c src/lua_append_file.c src/lua_build.c src/lua_core.c src/lua_decoder.c src/lua_encode.c "
    .. "src/lua_json.c src/lua_plan.c src/lua_private_file.c src/lua_shape.c src/memory.c src/rfc3339.c",
  http = "src/http_*.c src/lua_http.c src/memory.c",
  crypto = "src/lua_crypto.c",
}

-- Puts `new` between two patterns that both stay.
local function put(text, open, close, new)
  local replaced, n = text:gsub("(" .. open .. ").-(" .. close .. ")", function(a, b) return a .. new .. b end)
  assert(n == 1, open)
  return replaced
end

local text = put(read(SCM), "\n  modules = {\n", '    %["ampersand%.core"%]', lua_modules())
for module, pattern in pairs(SOURCES) do
  text = put(text, '%["ampersand%.' .. module .. '"%] = { sources = { ', " }", sources(pattern))
end
write(SCM, text)

local version = dofile "lua/ampersand/version.lua".number
local release = put(text, 'version = "', '"', version .. "-1")
release = put(release, "source = {\n", "}\n",
  ('  url = "file://build/ampersand-%s.tar.gz", -- what `make dist` writes\n'):format(version))
write(("ampersand-%s-1.rockspec"):format(version), release)
