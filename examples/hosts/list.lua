-- Lists installations inside a program that hosts Lua: mpv, tshark, nmap, pandoc, and any plain Lua.
--
--     mpv --idle=once --script=examples/hosts/list.lua
--     tshark -X lua_script:examples/hosts/list.lua --version   (newer ones not as root)
--     nmap --script examples/hosts/list.lua
--     pandoc -L examples/hosts/list.lua -f markdown -t plain /dev/null
--     lua5.4 examples/hosts/list.lua
--
-- Key, project and integration come from AMP_API_KEY, AMPERSAND_PROJECT_ID and AMPERSAND_INTEGRATION_ID; the module is
-- found through LUA_PATH and LUA_CPATH, where it was not installed.

local ampersand = require "ampersand"

local function list()
  local installations = ampersand.assert(ampersand.new():with { timeout = 30 }.installations:list())
  local unhealthy = 0
  for _, installation in ipairs(installations) do
    if installation.healthStatus == "unhealthy" then unhealthy = unhealthy + 1 end
  end
  local first = installations[1]
  return ("%d installations, %d unhealthy; the first: %s %s"):format(#installations, unhealthy,
    first and first.id or "-", first and tostring(first.healthStatus) or "-")
end

-- luacheck: globals description categories prerule action, read globals mp SCRIPT_NAME
if SCRIPT_NAME then -- nmap calls `action` itself and prints what it returns
  description = "Lists the installations of an Ampersand integration."
  categories = { "safe", "external" }
  function prerule() return true end
  action = list
else
  print(list())
  io.stdout:flush()
  if mp then mp.command "quit" end
end
