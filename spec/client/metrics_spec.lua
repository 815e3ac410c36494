local ampersand = require "ampersand"
local double = require "support.double"
local exposition = require "support.exposition"
local machine = require "support.machine"
local nginx = require "support.openresty"

local REQUESTS, SECONDS = "ampersand_requests_total", "ampersand_request_duration_seconds"

local function event(fields)
  local all = { operation = "listInstallations", method = "GET", attempt = 1, status = 200, seconds = 0.02, bytes = 10 }
  for name, value in pairs(fields or {}) do all[name] = value ~= "none" and value or nil end
  return all
end

-- What promtool says to a text; nil where it accepts it.
local function promtool(text)
  local path, out = os.tmpname(), os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  local ok = os.execute(("promtool check metrics <%s >%s 2>&1"):format(path, out))
  local words = nginx.read(out)
  os.remove(path)
  os.remove(out)
  if (ok ~= true and ok ~= 0) or words ~= "" then return words end
end

describe("ampersand.metrics", function()
  it("counts the requests of a client by operation, status and kind, and their retries", function()
    local m = ampersand.metrics.new()
    local transport = double.answers(double.json '[]', { status = 503 }, double.json '[{"id":"1"}]',
      { fault = "no route", kind = "connect" }, { status = 404, headers = {}, body = "" })
    local client = double.client(transport, { on_event = m.on_event })
    assert(client.installations:list())
    assert(client.installations:list())
    assert.is_nil((client.installations:get("x", { retry = false })))
    assert.is_nil((client.installations:get "x"))
    local families = exposition.read(m:text())
    local function requests(labels) return exposition.value(families, REQUESTS, labels) end
    assert.equal(2, requests { operation = "listInstallations", status = "200" })
    assert.equal(1, requests { operation = "listInstallations", status = "503", kind = "status" })
    assert.equal(1, requests { operation = "getInstallation", kind = "connect" })
    assert.equal(1, requests { operation = "getInstallation", status = "404", kind = "status" })
    assert.equal(1, exposition.value(families, "ampersand_retries_total", { operation = "listInstallations" }))
    assert.equal(3, exposition.value(families, SECONDS .. "_count", { operation = "listInstallations" }))
    assert.equal(14, exposition.value(families, "ampersand_response_bytes_total", { operation = "listInstallations" }))
  end)

  it("puts a time into the first bucket whose bound it does not pass", function()
    local m = ampersand.metrics.new { buckets = { 0.1, 1, 10 } }
    for _, seconds in ipairs { 0, 0.1, 0.1000001, 1, 5, 10, 10.5, 3600 } do m.on_event(event { seconds = seconds }) end
    local families = exposition.read(m:text())
    local counts = {}
    for i, le in ipairs { "0.1", "1", "10", "+Inf" } do
      counts[i] = exposition.value(families, SECONDS .. "_bucket", { operation = "listInstallations", le = le })
    end
    assert.same({ 2, 4, 6, 8 }, counts)
    assert.is_true(math.abs(exposition.value(families, SECONDS .. "_sum", { operation = "listInstallations" })
      - 3626.7000001) < 1e-6)
  end)

  it("writes a text that keeps to the format, whatever is counted", function()
    local m = ampersand.metrics.new()
    assert.equal("", m:text())
    for _, operation in ipairs { 'a"b', "a\\b", "a\nb", "a|b|c", "a,b={}", "Zoë", "bad \255 byte", "", "none" } do
      m.on_event(event { operation = operation, kind = operation })
      m.on_event(event { operation = operation, status = "none", kind = "timeout", bytes = "none", seconds = "none" })
    end
    m.on_event {}
    local samples = {}
    for _, value in ipairs { 0, -1, 0.1, 1e300, 1 / 0, -1 / 0, 0 / 0, 2 ^ 53 } do
      samples[#samples + 1] = { labels = { n = #samples, text = 'x "\\\n' }, value = value }
    end
    samples[#samples + 1] = { value = 7 }
    local text = m:text { { name = "mine", type = "gauge", help = "a\\b\nc", samples = samples } }
    local families = exposition.read(text)
    assert.equal(1, exposition.value(families, REQUESTS, { operation = 'a"b', status = "200", kind = 'a"b' }))
    for _, operation in ipairs { 'a"b', "a\\b", "a\nb", "a|b|c", "a,b={}", "Zoë", "bad ? byte" } do
      assert.equal(1, exposition.value(families, REQUESTS, { operation = operation, kind = "timeout" }), operation)
    end
    assert.equal(7, exposition.value(families, "mine", {}))
    assert.equal(2 ^ 53, exposition.value(families, "mine", { n = "7", text = 'x "\\\n' }))
    assert.equal(m:text(), m:text { { name = "none", type = "gauge", help = "x", samples = {} } })
  end)

  -- The format's grammar is checked above; promtool reads it again where it is installed.
  if machine.has "promtool" then it("writes what promtool accepts", function()
    local m = ampersand.metrics.new()
    for _, operation in ipairs { 'a"b\\c\nd', "Zoë", "getProject" } do
      m.on_event(event { operation = operation, attempt = 2 })
      m.on_event(event { operation = operation, status = "none", kind = "timeout" })
    end
    assert.is_nil(promtool(m:text {
      { name = "ampersand_installations", type = "gauge", help = "All.", samples = { { labels = { a = "b" }, value = 3 } } },
    }))
    assert.is_string(promtool "not a metric at all {\n")
  end) end

  it("adds to what another worker has begun to count in the same moment", function()
    local values, before = {}, rawget(_G, "ngx")
    local dict = { get = function(_, key) return values[key] end }
    function dict.incr(_, key, n)
      if not values[key] then return nil, "not found" end
      values[key] = values[key] + n
      return values[key]
    end
    function dict.safe_add(_, key, n)
      local is_late = key:find(REQUESTS, 1, true) ~= nil
      values[key] = is_late and 5 or n
      return not is_late or nil, is_late and "exists" or nil
    end
    function dict.get_keys()
      local keys = {}
      for key in pairs(values) do keys[#keys + 1] = key end
      return keys
    end
    rawset(_G, "ngx", { shared = { counters = dict } })
    local m = ampersand.metrics.new { shared = "counters" }
    rawset(_G, "ngx", before)
    m.on_event(event())
    local families = exposition.read(m:text())
    assert.equal(6, exposition.value(families, REQUESTS, { operation = "listInstallations", status = "200" }))
    assert.equal(0, exposition.value(families, "ampersand_metrics_lost_total", {}))
  end)

  it("notices texts that break the format (the reader of this spec)", function()
    local head = "# TYPE a_total counter\n"
    for _, text in ipairs {
      "a_total 1\n", head .. "a_total 1", head .. "a_total one\n", head .. "a_total{x=1} 1\n", head .. 'a_total{x="\\q"} 1\n',
      head .. "b_total 1\n", head .. "a_total 1\na_total 2\n", head .. "a_total -1\n", head .. 'a_total{x="1",x="2"} 1\n',
      head .. "a_total 1\n# TYPE b gauge\nb 1\n" .. head, "# TYPE a counter\na 1\n", "# TYPE a_total number\n",
      '# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n',
      '# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
      '# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 2\n',
    } do
      assert.is_false((pcall(exposition.read, text)), text)
    end
  end)

  it("refuses invalid options at the caller's line", function()
    for _, given in ipairs {
      { bucket = {} }, { shared = true }, { shared = "nothing" }, { buckets = { 1, 1 } }, { buckets = { 0 } },
      { buckets = { 1, 0 / 0 } }, { buckets = { 1, 1 / 0 } }, { buckets = { "1" } },
    } do
      local ok, message = pcall(function() return ampersand.metrics.new(given), nil end)
      assert.is_false(ok)
      assert.truthy(message:find("metrics_spec.lua", 1, true), message)
    end
  end)
end)

describe("ampersand.metrics in nginx", function()
  if nginx.unable(pending) then return end

  local server
  teardown(function() if server then server:stop() end end)

  it("adds up what all workers count, and loses nothing silently where the memory is full", function()
    server = nginx.start {
      workers = 2,
      http = [[
        lua_shared_dict metrics 64k;
        init_by_lua_block {
          metrics = require("ampersand").metrics.new { shared = "metrics" }
          event = { operation = "listInstallations", attempt = 1, status = 200, seconds = 0.2, bytes = 3 }
        }]],
      server = [[
        location = /count { content_by_lua_block { metrics.on_event(event) } }
        location = /fill {
          content_by_lua_block {
            for i = 1, 2000 do metrics.on_event { operation = ("x"):rep(200) .. i, seconds = 1 } end
          }
        }
        location = /metrics { content_by_lua_block { metrics:serve() } }]],
    }
    local http = require "socket.http"
    local base = ("http://127.0.0.1:%d"):format(server.port)
    for _ = 1, 200 do assert.equal(200, (select(2, http.request(base .. "/count")))) end
    local text, status, headers = http.request(base .. "/metrics")
    assert.equal(200, status)
    assert.equal("text/plain; version=0.0.4; charset=utf-8", headers["content-type"])
    local families = exposition.read(text)
    local labels = { operation = "listInstallations", status = "200" }
    assert.equal(200, exposition.value(families, REQUESTS, labels))
    assert.equal(0, exposition.value(families, "ampersand_metrics_lost_total"))
    http.request(base .. "/fill")
    families = exposition.read((http.request(base .. "/metrics")))
    assert.equal(200, exposition.value(families, REQUESTS, labels))
    assert.is_true(exposition.value(families, "ampersand_metrics_lost_total") > 0)
  end)
end)

describe("the dashboard's /metrics", function()
  if nginx.unable(pending) then return end

  it("has the installations by integration, provider, health and connection status", function()
    local mock = require "support.mock"
    local api = mock.start { installations = 300 }
    local command = "echo $$; exec env AMP_API_URL=%s AMP_API_KEY=%s AMPERSAND_PROJECT_ID=%s AMPERSAND_INTEGRATION_ID= "
      .. "DASHBOARD_REFRESH=0.5 %s examples/openresty/dashboard/start.lua --port 0 --real 2>&1"
    local pipe = assert(io.popen(command:format(api.url:gsub("/v1$", ""), api.key, api.project, os.getenv "LUA")))
    local pid = pipe:read "*n"
    finally(function()
      os.execute(("kill %d 2>/dev/null"):format(pid))
      pipe:close()
      api:stop()
    end)
    local line
    repeat line = pipe:read "*l" until not line or line:find "^dashboard"
    local url = assert(line and line:match "^dashboard (http://%S+)/$", line)
    local http, text, families = require "socket.http", nil, nil
    assert.is_true(nginx.await(20, function()
      text = http.request(url .. "/metrics")
      families = text and exposition.read(text)
      return families and families.ampersand_installations ~= nil
    end), text)
    local expected, total = {}, 0
    local fleet = ampersand.new { base_url = api.url, api_key = api.key, project = api.project, http_proxy = "" }
    for one in fleet.installations:in_project():each() do
      local key = ("%s %s %s %s"):format(one.integrationId, one.connection.provider, one.healthStatus, one.connection.status)
      expected[key] = (expected[key] or 0) + 1
    end
    for _, sample in ipairs(families.ampersand_installations.samples) do
      local l = sample.labels
      local key = ("%s %s %s %s"):format(l.integration, l.provider, l.health, l.connection_status)
      assert.equal(expected[key], sample.value, key)
      total = total + sample.value
    end
    assert.equal(303, total)
    assert.equal(0, exposition.value(families, "ampersand_refresh_failing"))
    assert.is_true(exposition.value(families, REQUESTS, { operation = "listInstallationsForProject", status = "200" }) >= 1)
    api:control("faults", { status = 503 })
    assert.is_true(nginx.await(20, function()
      families = exposition.read((http.request(url .. "/metrics")))
      return exposition.value(families, "ampersand_refresh_failing") == 1
        and exposition.value(families, REQUESTS, { operation = "listInstallationsForProject", status = "503", kind = "status" })
    end))
  end)
end)
