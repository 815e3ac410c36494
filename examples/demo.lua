-- Runs an example against the embedded mock server: examples/demo.lua examples/list_installations.lua
-- `make demo` calls it; no account and no key is needed.

local mock = require "support.mock"

local server = mock.start { installations = 25 }
-- two customers have changed their password since
server:control("installations", {
  ids = { "installation-0000007", "installation-0000012" },
  set = { healthStatus = "unhealthy", connection = { status = "bad_credentials" } },
})
local command = ("AMP_API_URL='%s' AMP_API_KEY='%s' '%s' '%s' project-456 integration-123"):format(
  server.url:gsub("/v1$", ""), server.key, os.getenv "LUA" or "lua", arg[1])
local ok, _, code = os.execute(command)
server:stop()
if ok == true or ok == 0 then
  print "\nNext: make dashboard, which shows such a fleet at http://127.0.0.1:8080/"
end
-- Lua 5.1 answers the exit code times 256, later versions a boolean and the code
os.exit((ok == true or ok == 0) and 0 or (code or 1))
