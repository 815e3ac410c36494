-- Compiles the C sources of specs for the Lua that runs them, and runs Lua scripts in processes of their own.

local build = {}

local VERSION = os.getenv "LUA_VERSION" or "5.4"
local PACKAGE = VERSION == "jit" and "luajit" or "lua" .. VERSION

local function succeeded(ok) return ok == true or ok == 0 end

--- Compiles spec/support/NAME.c. `kind`: "module" (Lua's C API), "preload" or "program" (linked with Lua and libcurl).
---@param name string
---@param kind string
---@param directory string
---@param more string? further sources and options
---@return string path
function build.c(name, kind, directory, more)
  local path = ("%s/%s%s"):format(directory, name, kind == "program" and "" or ".so")
  local flags = ({
    module = "-shared -fPIC $(pkg-config --cflags " .. PACKAGE .. ")",
    preload = "-shared -fPIC",
    program = "$(pkg-config --cflags --libs " .. PACKAGE .. " libcurl) -lpthread -lm -ldl",
  })[kind]
  local command = ("env -u LD_PRELOAD %s -O1 -g -o '%s' spec/support/%s.c %s %s"):format(
    os.getenv "CC" or "cc", path, name, more or "", flags)
  assert(succeeded(os.execute(command)), command)
  return path
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
    options.preload or "", directory, os.getenv "LUA" or "lua5.4", name, options.arguments or "")
  command = (options.wrap or "%s"):gsub("%%s", function() return command end)
  local pipe = assert(io.popen("{ " .. command .. "; } 2>&1; code=$?; echo; echo $code"))
  local output, code = pipe:read("*a"):match "^(.*)\n(%d+)\n$"
  pipe:close()
  return output, tonumber(code)
end

return build
