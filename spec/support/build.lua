-- Compiles the C sources of specs for the Lua that runs them, and runs Lua scripts in processes of their own.

local lfs = require "lfs"

local build = {}

local VERSION = os.getenv "LUA_VERSION" or "5.4"
local PACKAGE = VERSION == "jit" and "luajit" or "lua" .. VERSION

local DIRECTORY = ("%s/build/helpers-%s"):format(lfs.currentdir(), VERSION)

local SOURCES = { heads = "-Isrc src/http_head.c src/http_buffer.c src/memory.c" } -- in addition to their own

local FLAGS = {
  module = "-shared -fPIC $(pkg-config --cflags " .. PACKAGE .. ")",
  preload = "-shared -fPIC",
  program = "$(pkg-config --cflags --libs " .. PACKAGE .. " libcurl) -lpthread -lm -ldl",
}

-- LD_PRELOAD takes no path with blanks.
local function preloadable(path)
  return path:find "[%s:]" and path:match "/(build/[^/]+/[^/]+)$" or path
end

local function changed(path) return lfs.attributes(path, "modification") or 0 end

--- Compiles spec/support/NAME.c, unless the last run has. `kind`: "module" (Lua's C API), "preload" or "program" (linked with
--- Lua and libcurl).
---@param name string
---@param kind string
---@return string path
function build.c(name, kind)
  local source = ("spec/support/%s.c"):format(name)
  local path = ("%s/%s%s"):format(DIRECTORY, name, kind == "program" and "" or ".so")
  local newest = math.max(changed(source), changed "spec/support/build.lua")
  for file in lfs.dir "src" do
    if SOURCES[name] then newest = math.max(newest, changed("src/" .. file)) end
  end
  local usable = kind == "preload" and preloadable(path) or path
  if changed(path) > newest then return usable end
  lfs.mkdir(DIRECTORY)
  -- specs that run side by side find it whole or not at all
  local command = ("env -u LD_PRELOAD %s -O1 -g -o '%s'.$$ %s %s %s && exec mv '%s'.$$ '%s'"):format(
    os.getenv "CC" or "cc", path, source, SOURCES[name] or "", FLAGS[kind], path, path)
  local ok = os.execute(command)
  assert(ok == true or ok == 0, command)
  return usable
end

--- Runs a Lua script given as text. `preload` is a library, or nil; `wrap` a shell command with %s for ours.
---@param script string
---@param directory string
---@param options table? preload, wrap, arguments
---@return string output of the script, stdout and stderr
---@return integer code of its exit (128 + the signal that ended it)
function build.run(script, directory, options)
  options = options or {}
  local name = directory .. "/script.lua"
  local file = assert(io.open(name, "w"))
  file:write(script)
  file:close()
  local command = ("LD_PRELOAD=\"$LD_PRELOAD %s\" LUA_CPATH='%s/?.so;'\"$LUA_CPATH\" %s '%s' %s"):format(
    options.preload or "", DIRECTORY, os.getenv "LUA" or "lua5.4", name, options.arguments or "")
  command = (options.wrap or "%s"):gsub("%%s", function() return command end)
  local pipe = assert(io.popen("{ " .. command .. "; } 2>&1; code=$?; echo; echo $code"))
  local output, code = pipe:read("*a"):match "^(.*)\n(%d+)\n$"
  pipe:close()
  return output, tonumber(code)
end

return build
