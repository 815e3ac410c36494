-- examples/openresty/nginx.conf, run as it stands but for ports and folders.

local nginx = require "support.openresty"

if nginx.unable(pending) then return end

local core = require "ampersand.core"
local openssl = require "support.openssl"
local mock = require "support.mock"

local SECRET = "whsec_" .. openssl.base64 "an example's secret bytes"

local read = require "support.read_file"

-- Replaces what a place of its own needs; every one of these lines must be there.
local function adapted(conf)
  local function replace(line, with)
    local from, to = conf:find(line, 1, true)
    assert(from, "the example has no longer: " .. line)
    conf = conf:sub(1, from - 1) .. with .. conf:sub(to + 1)
  end
  replace("listen 8080;", "listen 127.0.0.1:{{port}};")
  replace("/usr/local/share/lua/5.1/?.lua", "{{root}}/lua/?.lua;{{root}}/examples/openresty/?.lua{{lua_path}}")
  replace("/usr/local/lib/lua/5.1/?.so", "{{root}}/build/jit/?.so")
  replace("/etc/ssl/certs/ca-certificates.crt", "{{prefix}}/ca.pem")
  replace("worker_processes auto;", "daemon off;\nworker_processes 2;\n{{user}}")
  return conf
end

describe("the OpenResty example", function()
  local api, server, client

  lazy_setup(function()
    api = mock.start { installations = 400 }
    client = require("ampersand").new {
      base_url = api.url, api_key = api.key, project = api.project, integration = api.integration,
    }
    local prefix = os.tmpname()
    os.remove(prefix)
    os.execute(("mkdir %s && ln -s . %s/logs"):format(prefix, prefix))
    nginx.certificate(prefix)
    server = nginx.start {
      prefix = prefix, conf = adapted(read "examples/openresty/nginx.conf"),
      env = {
        AMP_API_URL = api.url:gsub("/v1$", ""), AMP_API_KEY = api.key, AMPERSAND_PROJECT_ID = api.project,
        AMPERSAND_INTEGRATION_ID = api.integration, AMPERSAND_WEBHOOK_SECRET = SECRET,
      },
    }
  end)
  lazy_teardown(function()
    if server then server:stop() end
    if api then api:stop() end
  end)

  it("passes the installations on, one a line", function()
    local status, body, headers = server:ask "/installations"
    assert.equal(200, status, server:log())
    assert.equal("application/x-ndjson", headers["content-type"])
    local count = 0
    for line in body:gmatch "[^\n]+" do
      local installation = assert(core.decode(line))
      assert.is_string(installation.id)
      assert.is_nil(installation.config)
      count = count + 1
    end
    assert.equal(client.installations:count(), count)
  end)

  it("gates a team by the health of its installation", function()
    local seen, count, list = {}, {}, assert(client.installations:list())
    for _, installation in ipairs(list) do
      local group = installation.group.groupRef
      count[group] = (count[group] or 0) + 1
    end
    for _, installation in ipairs(list) do
      local health, group = installation.healthStatus, installation.group.groupRef
      if not seen[health] and count[group] == 1 then
        seen[health] = true
        assert.equal(health == "healthy" and 200 or 503, (server:ask("/sync?team=" .. group)), group)
      end
    end
    assert.same({ healthy = true, unhealthy = true }, seen)
    assert.equal(503, (server:ask "/sync?team=nobody"))
    assert.equal(503, (server:ask "/sync"))
  end)

  it("takes webhooks", function()
    local body, stamp = '{"action":"read","groupRef":"acme","resultInfo":{}}', tostring(os.time())
    local signature = openssl.base64(openssl.hmac("an example's secret bytes", "msg_1." .. stamp .. "." .. body))
    local headers = { ["svix-id"] = "msg_1", ["svix-timestamp"] = stamp, ["svix-signature"] = "v1," .. signature }
    assert.equal(204, (server:ask("/webhooks", { body = body, headers = headers })))
    assert.is_true(nginx.await(2, function()
      return server:log():find("webhook msg_1 of group acme", 1, true) ~= nil
    end))
    headers["svix-signature"] = "v1,AAAA"
    assert.equal(400, (server:ask("/webhooks", { body = body, headers = headers })))
  end)

  it("has nothing to complain about", function()
    local log = server:log()
    assert.is_nil(log:match "%[error%][^\n]*", log)
    assert.is_nil(log:find(api.key, 1, true))
  end)
end)
