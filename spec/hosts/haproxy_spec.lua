-- examples/haproxy in Debian's HAProxy, with the Lua that it hosts: in its chroot, over TLS, with a mock server as the API.
-- AMP_FIGURES=1 prints how long its page takes: alone, beside slow calls, and beside slow requests that HAProxy proxies.

local host = require "support.host"
local machine = require "support.machine"
local mock = require "support.mock"
local server = require "support.server"
local socket = require "socket"

local VERSION = machine.lua_of("haproxy", "5.3")
if os.getenv "LUA_VERSION" ~= VERSION then return end
if not machine.has "haproxy" then
  describe("HAProxy", function()
    pending(machine.absent("haproxy", "apt-get install haproxy"))
  end)
  return
end

local ROOT = machine.succeeds "[ $(id -u) = 0 ]"

-- Beside the example's: probes that make calls where HAProxy cannot wait, and where it can.
local EXTRA = [[
local ampersand = require "ampersand"
local client = ampersand.new { timeout = 5, retry = false }

local function kind_of(call)
  local value, err = call(client.installations)
  if value then return type(value) == "table" and #value .. " elements" or tostring(value) end
  return err.kind .. ": " .. tostring(err) .. ": " .. tostring(err.sent)
end
local function list(installations) return installations:list() end

local seen = { body = kind_of(list) }
core.register_init(function() seen.init = kind_of(list) end)
core.register_fetches("probe_fetch", function() return kind_of(list) end)
core.register_converters("probe_converter", function() return kind_of(list) end)
core.register_fetches("probe_seen", function() return "body " .. seen.body .. "; init " .. seen.init end)

local quick = ampersand.gate.new { client = client, ttl = 0.3, negative = 0.3, stale = 100, on_unknown = "closed" }
core.register_action("quick_gate", { "http-req" }, function(txn) quick({ group = txn.sf:req_fhdr "x-team" }, txn) end)

local function other(url)
  return function() return ampersand.new({ base_url = url, retry = false }).installations:list() end
end
local PROBES = {
  list = list,
  patch = function() return client:request("PATCH", "/projects/project-456/nothing", { body = { a = 1 } }) end,
  post = function() return client:request("POST", "/projects/project-456/nothing", { body = { a = 1 } }) end,
  text = function()
    return client.oauth:connect { projectIdOrName = "project-456", provider = "hubspot", groupRef = "g", consumerRef = "c" }
  end,
  empty = function() return client:request("POST", "/projects/project-456/nothing") end,
  timeout = function(installations) return installations:list({}, { timeout = 0.5 }) end,
  silent = function(installations) return installations:list({}, { timeout = 0.7, read_timeout = 0.2 }) end,
  refused = other "http://127.0.0.1:1/v1",
  unnamed = other "https://nothing.invalid/v1",
  untrusted = other "https://127.0.0.1:{{untrusted}}/v1",
  closed = function()
    local other_client = ampersand.new { retry = false }
    other_client:close()
    return not pcall(list, other_client.installations)
  end,
  compressed = function()
    return client:request("GET", "/projects/project-456/integrations/integration-123/installations",
      { headers = { ["Accept-Encoding"] = "gzip" } })
  end,
  option = function() return ampersand.new({ ca_file = "/x" }).installations:list() end,
  sleep = function()
    local began = ampersand.core_now()
    client:_sleep(0.2)
    return ampersand.core_now() - began >= 0.2
  end,
  cancelled = function(installations)
    local token = ampersand.cancel.token()
    core.register_task(function() core.msleep(200) token:cancel() end)
    return installations:list({}, { cancel = token })
  end,
}
ampersand.core_now = require "ampersand.core".now
core.register_service("probe", "http", function(applet)
  local body = kind_of(PROBES[applet.path:match "[^/]*$"])
  applet:set_status(200)
  applet:start_response()
  applet:send(body)
end)
]]

local SECTIONS = [[

frontend extra
  bind 127.0.0.1:{{extra}}
  http-request lua.quick_gate if { path /quick }
  http-request use-service lua.probe if { path_beg /probe }
  http-request return status 200 content-type text/plain lf-string %[lua.probe_fetch] if { path /fetch }
  http-request return status 200 content-type text/plain lf-string %[str(x),lua.probe_converter] if { path /converter }
  http-request return status 200 content-type text/plain lf-string %[lua.probe_seen] if { path /seen }
  http-request return status 200 content-type text/plain string passed unless { path_beg /v1 }
  default_backend api

backend api
  server api 127.0.0.1:{{tls}} ssl verify required ca-file {{prefix}}/ca.pem verifyhost 127.0.0.1
]]

-- The API's servers: another HAProxy that does TLS for the mock server.
local API = [[
global
  maxconn 2000
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend api
  bind 127.0.0.1:{{tls}} ssl crt {{prefix}}/api.pem
  bind 127.0.0.1:{{untrusted}} ssl crt {{prefix}}/other/api.pem
  default_backend mock

backend mock
  server mock 127.0.0.1:{{mock}}
]]

local function fill(text, values)
  return (text:gsub("{{(%w+)}}", values))
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function run(command)
  assert(machine.succeeds(command), command)
end

-- An authority and a certificate for the address at which HAProxy can reach itself; and such ones that are not trusted.
local function make_certificate(prefix)
  run(([[mkdir -p '%s' && cd '%s' && new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes" &&
    openssl req -x509 $new -days 2 -subj '/CN=spec CA' -keyout ca.key -out ca.pem &&
    openssl req $new -subj '/CN=api' -keyout key.pem -out cert.csr &&
    printf 'subjectAltName=DNS:127.0.0.1,IP:127.0.0.1\n' > ext &&
    openssl x509 -req -in cert.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out cert.pem &&
    cat cert.pem key.pem > api.pem && chmod 644 *.pem]]):format(prefix, prefix))
end

local function adapted(values)
  local text = server.read "examples/haproxy/haproxy.cfg"
  local function change(from, to)
    local count
    text, count = text:gsub(from:gsub("%p", "%%%0"), (to:gsub("%%", "%%%%")))
    assert(count > 0, from)
  end
  change("/var/lib/haproxy", values.prefix)
  change("127.0.0.1:8080", "127.0.0.1:" .. values.port)
  change("/usr/local/share/lua/5.3/?.lua", host.path "lua/?.lua")
  change("/usr/local/lib/lua/5.3/?.so", host.path("build/" .. VERSION .. "/?.so"))
  change("lua-load-per-thread examples/haproxy/gate.lua", "lua-load-per-thread " .. host.path "examples/haproxy/gate.lua"
    .. "\n  lua-load-per-thread " .. values.prefix .. "/extra.lua")
  change("ca-file @system-ca", "ca-file " .. values.prefix .. "/ca.pem")
  if not ROOT then
    for _, line in ipairs { "  user haproxy\n", "  group haproxy\n", "  chroot " .. values.prefix .. "\n" } do change(line, "") end
  end
  return text .. fill(SECTIONS, values)
end

describe("HAProxy", function()
  local api, tls, haproxy, values

  local function ask(path, headers, port)
    local connection = assert(socket.connect("127.0.0.1", port or values.port))
    connection:settimeout(20)
    local lines = { "GET " .. path .. " HTTP/1.1", "Host: localhost", "Connection: close" }
    for name, value in pairs(headers or {}) do lines[#lines + 1] = name .. ": " .. value end
    assert(connection:send(table.concat(lines, "\r\n") .. "\r\n\r\n"))
    return connection
  end

  local function finish(connection)
    local text, _, part = connection:receive "*a"
    connection:close()
    text = text or part
    local head, body = text:match "^(.-)\r\n\r\n(.*)$"
    if (head or ""):lower():find("transfer-encoding: chunked", 1, true) then body = server.dechunk(body) end
    return tonumber((head or ""):match "^HTTP/1.1 (%d+)"), body, head
  end

  local function get(path, headers, port) return finish(ask(path, headers, port)) end
  local function probe(name) return (select(2, get("/probe/" .. name, nil, values.extra))) end

  local function clear() api:control("faults", { clear = true }) end

  local function log() return haproxy:output() end

  lazy_setup(function()
    local prefix, ports = server.folder(), server.free_ports(4)
    run("chmod 755 " .. prefix)
    api = mock.start { installations = 300, gzip = true }
    values = { prefix = prefix, port = ports[1], extra = ports[2], tls = ports[3], untrusted = ports[4], mock = api.port }
    make_certificate(prefix)
    make_certificate(prefix .. "/other")
    write(prefix .. "/extra.lua", fill(EXTRA, values))
    write(prefix .. "/api.cfg", fill(API, values))
    write(prefix .. "/haproxy.cfg", adapted(values))
    tls = server.start(("haproxy -db -f %s/api.cfg"):format(prefix), {
      what = "HAProxy for the API", ready = function() return server.listens(values.tls) end,
    })
    local preloaded = os.getenv "AMP_HAPROXY_PRELOAD" or "" -- by `make coverage`
    haproxy = server.start(("env AMP_API_URL=https://127.0.0.1:%d AMP_API_KEY=%s AMPERSAND_PROJECT_ID=%s "
      .. "AMPERSAND_INTEGRATION_ID=%s LD_PRELOAD=%s haproxy -W -f %s/haproxy.cfg"):format(values.tls, api.key, api.project,
      api.integration, preloaded, prefix), { what = "HAProxy", directory = prefix, ready = function() return server.listens(values.port) end })
  end)

  lazy_teardown(function()
    for _, running in pairs { haproxy, tls, api } do running:stop() end
  end)

  it("lists installations while they arrive, in its chroot, over TLS that it verifies", function()
    local status, body = get "/installations"
    assert.equal(200, status, log())
    assert.equal(300, select(2, body:gsub("\n", "")))
    assert.truthy(body:find('"healthStatus":"healthy"', 1, true))
  end)

  it("gates a team by the health of its installation", function()
    local wanted = {}
    for line in select(2, get "/installations"):gmatch "[^\n]+" do
      local health, group = line:match '"healthStatus":"(%l+)"', line:match '"groupRef":"([^"]+)"'
      wanted[health] = wanted[health] or group
    end
    local function sync(team) return get("/sync", team and { ["X-Team"] = team }) end
    assert.equal(200, (sync(wanted.healthy)), log())
    local status, body, head = sync(wanted.unhealthy)
    assert.equal(503, status)
    assert.truthy(body:find('"state":"unhealthy"', 1, true), body)
    assert.truthy(head:lower():find("application/problem+json", 1, true))
    assert.equal(503, (sync "nobody"))
    assert.truthy(select(2, sync()):find("The request names no group.", 1, true))
  end)

  it("fails with kind `phase` where it cannot wait", function()
    for _, path in ipairs { "/fetch", "/converter" } do
      local status, body = get(path, nil, values.extra)
      assert.equal(200, status, log())
      assert.truthy(body:find "^phase: .*sample fetches.*: false$", body)
    end
    local _, body = get("/seen", nil, values.extra)
    assert.truthy(body:find "^body phase: .*: false; init phase: .*: false$", body)
  end)

  it("says what is wrong on the way to the API", function()
    assert.equal("300 elements", probe "list")
    assert.truthy(probe "patch":find "^config: .*cannot send PATCH.*: false$", probe "patch")
    assert.truthy(probe "refused":find "^connect: .*: false$", probe "refused")
    assert.truthy(probe "unnamed":find "^resolve: .*: false$", probe "unnamed")
    assert.truthy(probe "untrusted":find "^connect: .*TLS handshake failed.*: false$", probe "untrusted")
    assert.truthy(probe "option":find "^config: .*inside HAProxy httpclient.ssl.ca%-file decides", probe "option")
    assert.equal("true", probe "closed")
    assert.truthy(probe "compressed":find "^protocol: .*the body is compressed, which was not requested: gzip .*: true$", probe "compressed")
    assert.equal("true", probe "sleep")
  end)

  it("sends bodies with their length, empty ones too", function()
    assert.truthy(probe "post":find "^status: POST", probe "post")
    local requests = api:requests().requests
    assert.equal("7", requests[#requests].headers["content-length"])
    assert.is_nil(requests[#requests].headers["transfer-encoding"])
    assert.truthy(probe "empty":find "^status: POST", probe "empty")
    requests = api:requests().requests
    assert.equal("0", requests[#requests].headers["content-length"])
  end)

  it("takes a cut body for an error", function()
    for _, fault in ipairs { { cut = 2000 }, { drop = true } } do
      fault.on = "listInstallations"
      api:control("faults", fault)
      local words = probe "list"
      assert.truthy(words:find "^closed: " or words:find "^decode: ", words)
      clear()
    end
    api:control("faults", { cut = 10, on = "oauthConnect" })
    assert.truthy(probe "text":find "^closed: .*bytes of the body missing", probe "text")
    clear()
  end)

  it("keeps deadlines and cancellations, however slowly bytes come", function()
    for _, fault in ipairs { { delay = 3 }, { slow = 1000 }, { stall = 2000 } } do
      fault.on = "listInstallations"
      api:control("faults", fault)
      local began = socket.gettime()
      assert.truthy(probe "timeout":find "^timeout: .*timed out after 0.5 s", probe "timeout")
      assert.truthy(probe "silent":find "^timeout: .*timed out after 0.7 s", probe "silent")
      assert.truthy(probe "cancelled":find "^cancelled: ", probe "cancelled")
      assert.is_true(socket.gettime() - began < 8)
      clear()
    end
  end)

  it("uses what it knew while the API is down", function()
    local function quick() return (get("/quick", { ["X-Team"] = values.healthy }, values.extra)) end
    for line in select(2, get "/installations"):gmatch "[^\n]+" do
      local group = line:match '"groupRef":"([^"]+)"'
      if line:find('"healthStatus":"healthy"', 1, true) then values.healthy = values.healthy or group end
    end
    for _ = 1, 60 do quick() end -- each thread has a cache of its own
    for _ = 1, 10 do assert.equal(200, (quick()), values.healthy) end
    api:control("faults", { status = 503, on = "listInstallations" })
    for _ = 1, 20 do
      socket.sleep(0.05)
      assert.equal(200, (quick()))
    end
    clear()
    assert.equal(503, (get("/quick", { ["X-Team"] = "nobody" }, values.extra)))
  end)

  -- The times of `count` requests for the page, in order.
  local function page_times(count)
    local times = {}
    for i = 1, count do
      local began = socket.gettime()
      assert.equal(200, (get "/"))
      times[i] = socket.gettime() - began
    end
    table.sort(times)
    return times
  end

  -- The times of pages while a hundred requests, started by `start(i)`, wait for the API.
  local function page_times_beside(count, start)
    api:control("faults", { delay = 4, on = "listInstallations" })
    local function arrived() return api:requests().by_operation.listInstallations or 0 end
    local slow, before = {}, arrived()
    for i = 1, 100 do slow[i] = start(i) end
    assert.is_true(server.await(3, function() return arrived() - before == 100 end))
    local times = page_times(count)
    for i = 1, 100 do assert.is_number((finish(slow[i]))) end
    clear()
    return times
  end

  local teams = 0
  local function slow_call()
    teams = teams + 1
    return ask("/sync", { ["X-Team"] = "team-" .. teams })
  end

  it("serves its pages while a hundred calls are slow", function()
    page_times(20)
    local beside = page_times_beside(100, slow_call)
    assert.is_true(beside[100] < 1.5, "a page waited for the API")
  end)

  if os.getenv "AMP_FIGURES" then
    it("prints how long its pages take", function()
      local path = ("/v1/projects/%s/integrations/%s/installations?groupRef=team"):format(api.project, api.integration)
      local function slow_request() return ask(path, { ["X-Api-Key"] = api.key }, values.extra) end
      for _ = 1, 5 do
        local words = {}
        for _, way in ipairs { { "alone" }, { "beside 100 slow calls", slow_call }, { "proxied requests", slow_request } } do
          local times = way[2] and page_times_beside(1000, way[2]) or page_times(1000)
          words[#words + 1] = ("%s %.2f (longest %.1f)"):format(way[1], times[500] * 1000, times[1000] * 1000)
        end
        print("median of 1000 pages in ms: " .. table.concat(words, ", "))
      end
    end)
  end

  it("loses no call when it reloads", function()
    api:control("faults", { delay = 1, on = "listInstallations" })
    local slow = {}
    for i = 1, 10 do slow[i] = ask "/installations" end
    socket.sleep(0.3)
    run(("kill -USR2 %d"):format(haproxy.pid))
    for _ = 1, 150 do
      assert.equal(200, (get "/"))
      socket.sleep(0.01)
    end
    for i = 1, 10 do
      local status, body = finish(slow[i])
      assert.equal(200, status)
      assert.equal(300, select(2, body:gsub("\n", "")))
    end
    clear()
    assert.equal(300, select(2, select(2, get "/installations"):gsub("\n", "")))
  end)

  it("keeps the key to itself", function()
    assert.is_nil(log():find(api.key, 1, true))
    assert.is_nil(log():find("yield not allowed", 1, true), log())
  end)
end)
