-- The examples run as they are written.

local fault = require "support.fault"
local openssl = require "support.openssl"
local socket = require "socket"
local mock = require "support.mock"

local LUA = os.getenv "LUA" or "lua"

-- Runs a Lua file with the mock server as its API and further variables; returns what it wrote and whether it ended well.
local function run(server, file, arguments, more)
  local command = ("AMP_API_URL='%s' AMP_API_KEY='%s' %s %s %s %s 2>&1; echo \"exit $?\""):format(
    server.url:gsub("/v1$", ""), server.key, more or "", LUA, file, arguments or "")
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  local output, code = text:match "^(.*)exit (%d+)\n$"
  return output, code == "0"
end

describe("the example", function()
  local server

  setup(function() server = mock.start { installations = 25 } end)
  teardown(function() server:stop() end)

  it("list_installations.lua shows a table with the health of all", function()
    local text, ok = run(server, "examples/list_installations.lua", "project-456 integration-123")
    assert.is_true(ok, text)
    assert.truthy(text:find("^INSTALLATION +GROUP +PROVIDER +CONNECTION +HEALTH\n"), text)
    assert.equal(25, select(2, text:gsub("\ninstallation%-%w+ [^\n]+healthy", "")), text)
    assert.truthy(text:find("\n25 installations: ", 1, true))
    assert.is_nil(text:gsub("\n", ""):find "%c", "control characters reach the terminal")
  end)

  it("list_installations.lua says what is wrong in one line", function()
    local text, ok = run(server, "examples/list_installations.lua", "nobody integration-123")
    assert.is_false(ok)
    assert.truthy(text:find("404", 1, true), text)
    text, ok = run(server, "examples/list_installations.lua", "", "env -u AMPERSAND_PROJECT_ID")
    assert.is_false(ok)
    assert.truthy(text:find("AMPERSAND_PROJECT_ID", 1, true), text)
  end)

  it("demo.lua starts its own server, stops it and names what to try next, whatever proxies the environment names", function()
    local proxies = ""
    for name in ("http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY"):gmatch "%S+" do
      proxies = proxies .. " " .. name .. "=http://127.0.0.1:1"
    end
    local text, ok = run(server, "examples/demo.lua", "examples/list_installations.lua", proxies)
    assert.is_true(ok, text)
    assert.truthy(text:find("25 installations: 2 unhealthy, 23 healthy", 1, true), text)
    assert.matches("\nNext: make %S+[^\n]+\n$", text)
  end)

  it("nightly_report.lua says who is not well, why, and what to do; and nothing when all are", function()
    local project = "AMPERSAND_PROJECT_ID=project-456"
    server:control("installations", {
      ids = { "installation-0000007", "installation-0000012" },
      set = { healthStatus = "unhealthy", connection = { status = "bad_credentials" } },
    })
    local text, ok = run(server, "examples/nightly_report.lua", "", project)
    assert.is_false(ok)
    assert.truthy(text:find("^2 installations are unhealthy\n"), text)
    for _, id in ipairs { "installation-0000007", "installation-0000012" } do
      assert.truthy(text:find("\n  " .. id:gsub("%-", "%%-") .. ": [^\n]+\n  next: [^\n]+"), text)
    end
    assert.is_nil(text:gsub("\n", ""):find "%c", "control characters reach the terminal")
    server:control("installations", {
      ids = { "installation-0000007", "installation-0000012" },
      set = { healthStatus = "healthy", connection = { status = "working" } },
    })
    assert.same({ "", true }, { run(server, "examples/nightly_report.lua", "", project) })
    text, ok = run(server, "examples/nightly_report.lua", "", project .. " AMP_API_KEY=wrong")
    assert.is_false(ok)
    assert.truthy(text:find("^nightly report: GET .* 401"), text)
  end)

  it("proxy_call.lua hands the provider's answers and errors on", function()
    local project = "AMPERSAND_PROJECT_ID=my-project"
    local call = "examples/proxy_call.lua"
    local text, ok = run(server, call, "installation-123 GET /crm/v3/contacts limit=10", project)
    assert.is_true(ok, text)
    local told = assert(require("ampersand.core").decode(text))
    assert.same({ "GET", "/crm/v3/contacts", "10", "salesforce" }, { told.method, told.path, told.query.limit, told.provider })
    assert.same({ '{"a":1}\n', true }, { run(server, call, "installation-123 POST /echo <<'END'\n{\"a\":1}\nEND\n:", project) })
    text, ok = run(server, call, "installation-123 GET /bytes/300000", project)
    assert.same({ 300000, true }, { #text, ok })
    text, ok = run(server, call, "installation-123 GET /status/409", project)
    assert.is_false(ok)
    assert.truthy(text:find('409', 1, true) and text:find('"path":"/status/409"', 1, true), text)
    text, ok = run(server, call, "installation-123", project)
    assert.is_false(ok)
    assert.truthy(text:find("usage: ", 1, true))
  end)

  it("webhook_receiver.lua takes what the vendor signed, once, and refuses the rest", function()
    local files = fault.start()
    local raw = "twenty-four secret bytes"
    local pipe = assert(io.popen(("echo $$; AMPERSAND_WEBHOOK_SECRET=whsec_%s exec %s examples/webhook_receiver.lua 0 2 2>&1")
      :format(openssl.base64(raw), LUA)))
    local pid, port = pipe:read "*l", pipe:read("*l"):match ":(%d+)/$"
    finally(function() -- luacheck: ignore
      files:stop()
      os.execute(("kill %s 2>/dev/null"):format(pid))
    end)

    local function send(text)
      local connection = assert(socket.connect("127.0.0.1", port))
      connection:settimeout(10)
      connection:send(text)
      local status = connection:receive "*l"
      connection:close()
      return tonumber((status or ""):match " (%d+) ")
    end
    local function post(id, body, signer)
      local stamp = tostring(os.time())
      local signature = openssl.base64(openssl.hmac(signer or raw, id .. "." .. stamp .. "." .. body))
      return send(("POST /hook HTTP/1.1\r\nHost: x\r\nSvix-Id: %s\r\nsvix-timestamp: %s\r\nsvix-signature: v1,%s\r\nContent-Length: %d\r\n\r\n%s")
        :format(id, stamp, signature, #body, body))
    end
    local inline = '{"action":"read","objectName":"contact","groupRef":"acme","resultInfo":{"type":"inline"},'
      .. '"result":[{"fields":{"email":"a@example.com"}}]}'
    assert.equal(400, post("m0", inline, "somebody else's secret"))
    assert.equal(400, send "nonsense\r\n\r\n")
    assert.equal(405, send "GET / HTTP/1.1\r\n\r\n")
    assert.equal(411, send "POST / HTTP/1.1\r\n\r\n")
    assert.equal(413, send "POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")
    assert.equal(200, post("m1", inline))
    assert.equal(200, post("m1", inline))
    assert.equal(200, post("m2", '{"action":"read","objectName":"lead","groupRef":"acme","resultInfo":{"type":"url","downloadUrl":"'
      .. files:url "items" .. '"}}'))
    local text = pipe:read "*a"
    pipe:close()
    assert.equal(1, select(2, text:gsub("read of contact, for acme\n  {\"email\":\"a@example.com\"}\n", "")), text)
    assert.equal(1, select(2, text:gsub('read of lead, for acme\n  {"id":"a"}\n  {"id":"b"}\n  {"id":"c"}\n', "")), text)
    assert.equal(1, select(2, text:gsub("refused: [^\n]+another secret", "")), text)
  end)
end)
