--- Starts the dashboard and, without --real, a mock server with installations to show. `make dashboard` runs it.
--   --installations N   of the mock server (250)      --real   the API that AMP_API_KEY and AMP_API_URL name
--   --port N            8080 by default; 0 takes a free one
-- SSL_CERT_FILE names the authorities to trust, where they are not the system's.
-- The servers end with this process, however it ends: they read a pipe that closes with it.

local nginx = require "support.openresty"
local socket = require "socket"
local mock = require "support.mock"

local FOLDER = "examples/openresty/dashboard"
local CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem"

local function first_file(names)
  for name in names:gmatch "%S+" do
    local file = io.open(name)
    if file then
      file:close()
      return name
    end
  end
end

local function parse(words)
  local options, i = { installations = 250, port = 8080 }, 1
  while words[i] do
    local name = words[i]:match "^%-%-(%l+)$"
    if name == "real" then
      options.real = true
    elseif (name == "installations" or name == "port") and tonumber(words[i + 1]) then
      i = i + 1
      options[name] = tonumber(words[i])
    else
      error("unknown option " .. words[i], 0)
    end
    i = i + 1
  end
  return options
end

local function is_free(port)
  local listener = socket.bind("127.0.0.1", port)
  if listener then listener:close() end
  return listener ~= nil
end

local function choose_port(wanted)
  return wanted ~= 0 and is_free(wanted) and wanted or nginx.free_ports(1)[1]
end

local function environment(api, demo)
  if not api then return { DASHBOARD_REFRESH = os.getenv "DASHBOARD_REFRESH" or "15" } end
  return {
    AMP_API_URL = api.url:gsub("/v1$", ""), AMP_API_KEY = api.key, AMPERSAND_PROJECT_ID = api.project,
    AMPERSAND_INTEGRATION_ID = api.integration, DASHBOARD_REFRESH = demo,
  }
end

-- Every 12 seconds one installation of the mock server becomes unhealthy, or healthy again.
local function simulate(api, installations)
  local unhealthy
  return function(second)
    if second % 12 ~= 6 then return end
    local recovers = unhealthy ~= nil
    unhealthy = unhealthy or ("installation-%07d"):format(math.random(2, installations))
    api:control("installations", {
      ids = { unhealthy },
      set = {
        healthStatus = recovers and "healthy" or "unhealthy",
        connection = { status = recovers and "working" or "bad_credentials" },
      },
    })
    if recovers then unhealthy = nil end
  end
end

local function main(words)
  local options = parse(words)
  local named = os.getenv "SSL_CERT_FILE"
  local certificates = named ~= "" and named or first_file(CERTIFICATES)
  if options.real and not os.getenv "AMP_API_KEY" then error("--real needs AMP_API_KEY", 0) end
  if options.real and not certificates and not (os.getenv "AMP_API_URL" or ""):find "^http:" then
    error("--real needs the system's certificates: install ca-certificates, or name a file in SSL_CERT_FILE", 0)
  end
  local api = not options.real and mock.start { installations = options.installations } or nil
  local server = nginx.start {
    conf = nginx.read(FOLDER .. "/nginx.conf"), port = choose_port(options.port), folder = "{{root}}/" .. FOLDER,
    env = environment(api, os.getenv "DASHBOARD_REFRESH" or "2"),
    resolver = ("\n" .. nginx.read "/etc/resolv.conf"):match "\nnameserver +(%d[%d.]*)" or "127.0.0.1",
    -- a bare machine has none
    trust = certificates and ('lua_ssl_trusted_certificate "%s";'):format(certificates) or "",
  }
  print("dashboard " .. server.url .. "/")
  print(options.real and "It shows the API's installations." or "It shows a simulated fleet.")
  print "Ctrl-C ends it."
  io.stdout:flush()
  local change = api and options.installations > 1 and simulate(api, options.installations) or function() end
  local _, why = pcall(function()
    for second = 1, math.huge do
      socket.sleep(1)
      change(second)
    end
  end)
  local log = server:log()
  server:stop()
  if api then api:stop() end
  io.stderr:write(log)
  if not tostring(why):find("interrupted", 1, true) then error(why, 0) end
end

local ok, why = pcall(main, arg)
if not ok and not tostring(why):find("interrupted", 1, true) then
  io.stderr:write("dashboard: ", tostring(why), "\n")
  os.exit(1)
end
