-- Settings as people have them: URLs with and without a version, texts from files with their line ends, answers with a
-- byte order mark.

local ampersand = require "ampersand"
local core = require "ampersand.core"
local command = require "support.command"
local double = require "support.double"
local mock = require "support.mock"

local MARK = "\239\187\191"

local server

setup(function() server = mock.start { installations = 3 } end)
teardown(function() server:stop() end)

local function asked_of(options, use)
  local url
  options.transport = function(req)
    url = req.url
    return double.json "[]"
  end
  options.api_key, options.project, options.integration = "k", options.project or "p", options.integration or "i"
  use(ampersand.new(options))
  return url
end

-- Calls f with variables set to these values.
local function in_environment(values, f)
  local getenv = os.getenv
  os.getenv = function(name) return values[name] or getenv(name) end -- luacheck: ignore 122
  local ok, result = pcall(f)
  os.getenv = getenv -- luacheck: ignore 122
  return ok and result or error(result, 0)
end

local function list(client) client.installations:list() end
local function proxy(client) client:proxy("GET", "/x", { installation = "i" }) end

local PROJECT = "11111111-1111-4111-8111-111111111111" -- the proxy takes ids

describe("a base URL", function()
  local LIST = "/projects/p/integrations/i/installations"

  it("gets /v1 unless it ends in a version; closing slashes do not matter; the proxy's never gets one", function()
    for root, bases in pairs {
      ["http://127.0.0.1:8080"] = { "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080" },
      ["http://127.0.0.1:8080/"] = { "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080" },
      ["http://127.0.0.1:8080/v1"] = { "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080" },
      ["http://127.0.0.1:8080/v1//"] = { "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080" },
      ["https://a.example/v2"] = { "https://a.example/v2", "https://a.example" },
      ["https://a.example/v10/"] = { "https://a.example/v10", "https://a.example" },
      ["https://a.example/gate"] = { "https://a.example/gate/v1", "https://a.example/gate" },
      ["https://a.example/gate/v3"] = { "https://a.example/gate/v3", "https://a.example/gate" },
      ["https://a.example/v1/gate"] = { "https://a.example/v1/gate/v1", "https://a.example/v1/gate" },
      ["https://a.example/version1"] = { "https://a.example/version1/v1", "https://a.example/version1" },
    } do
      assert.equal(bases[1] .. LIST, asked_of({ base_url = root }, list), root)
      assert.equal(bases[2] .. "/x", asked_of({ base_url = root, project = PROJECT }, proxy), root)
    end
  end)

  it("means the same in the option, the variable, the flag and the profile", function()
    local session = command.session()
    finally(function() session:close() end)
    local config = core.make_private(session.home .. "/ampersand/config")
    local root = server.url:gsub("/v1$", "")
    for _, text in ipairs { root, root .. "/", root .. "/v1", root .. "/v1/" } do
      local client = ampersand.new { base_url = text, api_key = server.key, project = "my-project", integration = "salesforce" }
      assert.equal(3, #assert(client.installations:list()))
      local from_environment, key = { AMP_API_URL = text, AMP_API_KEY = server.key }, { AMP_API_KEY = server.key }
      local count = "ampersand --project my-project --integration salesforce installations list --count"
      command.write(config, "[default]\nurl = http://127.0.0.1:1\n")
      assert.equal("3\n", session:call(count, from_environment).out, text)
      assert.equal("3\n", session:call(count .. " --url " .. text, key).out, text)
      command.write(config, "[default]\nurl = " .. text .. "\n")
      assert.equal("3\n", session:call(count, key).out, text)
      assert.equal(3, in_environment(from_environment, function()
        return #assert(ampersand.new({ project = "my-project", integration = "salesforce" }).installations:list())
      end))
    end
  end)

  it("of a single server is taken exactly", function()
    local servers = { api = "https://a.example/map", proxy = "https://p.example/to" }
    assert.equal("https://a.example/map" .. LIST, asked_of({ servers = servers }, list))
    assert.equal("https://p.example/to/x", asked_of({ servers = servers, project = PROJECT }, proxy))
  end)
end)

describe("a text of a setting", function()
  local GOOD = {
    api_key = "sekrit-1", bearer = "sekrit-2", project = "my project", integration = "i", org = "o",
    base_url = "https://a.example/v1",
  }

  it("is refused at the caller's line when it is empty or has blanks or line ends around it", function()
    for name, good in pairs(GOOD) do
      for _, text in ipairs { "", " ", "\n", good .. "\n", good .. "\r\n", good .. " ", "\t" .. good, good .. "\r", good .. "\0" } do
        for _, make in ipairs { "new", name ~= "base_url" and "with" or "new" } do
          local ok, message = pcall(function()
            if make == "new" then return ampersand.new { [name] = text }, nil end
            return ampersand.new {}:with { [name] = text }, nil
          end)
          assert.is_false(ok, ("%s %q"):format(name, text))
          assert.truthy(message:find("settings_spec.lua:%d+: option \"" .. name .. "\" "), message)
          assert.is_nil(message:find("sekrit", 1, true), message)
        end
      end
      assert(ampersand.new { [name] = good })
    end
  end)

  it("is trimmed where it is a variable of the environment", function()
    local session = command.session()
    finally(function() session:close() end)
    for i, around in ipairs { { "", "\r\n" }, { " ", " " }, { "", "\n" }, { "\t", "" } } do
      local env = {}
      for name, value in pairs {
        AMP_API_URL = server.url, AMP_API_KEY = server.key, AMPERSAND_PROJECT_ID = "my-project",
        AMPERSAND_INTEGRATION_ID = "salesforce",
      } do
        env[name] = around[1] .. value .. around[2]
      end
      assert.equal(3, in_environment(env, function() return #assert(ampersand.new().installations:list()) end))
      if i == 1 then -- and in a process that begins with them
        local result = session:run("exec $LUA -e \"print(#require('ampersand').new().installations:list())\"", env)
        assert.equal("3\n", result.out, result.err)
      end
    end
    assert.equal("config", in_environment({ AMP_API_KEY = " \n", AMPERSAND_API_KEY = " " }, function()
      return select(2, ampersand.new({ project = "p", integration = "i" }).installations:list()).kind
    end))
  end)
end)

describe("a byte order mark before an answer", function()
  local function client_of(body, status, size)
    local pieces = {}
    for i = 1, #body, size do pieces[#pieces + 1] = body:sub(i, i + size - 1) end
    return double.client(function(req)
      local res = double.pieces(pieces)(req)
      res.status, res.headers = status or 200, { ["content-type"] = "application/json" }
      return res
    end, { retry = false })
  end

  it("is passed over in every shape of answer, wherever the body is cut", function()
    for _, size in ipairs { 1, 2, 3, 4, 100 } do
      local client = client_of(MARK .. ' [{"id":"1"},{"id":"2"}]', 200, size)
      for _ = 1, 2 do assert.equal("2", assert(client.installations:list())[2].id) end
      assert.equal("2", assert(client.installations:where { id = "2" }:list())[1].id)
      local ids = {}
      for one in client.installations:select { "id" }:each() do ids[#ids + 1] = one.id end
      assert.same({ "1", "2" }, ids)
      assert.equal("1", client_of(MARK .. '{"id":"1"}', 200, size).installations:get("1").id)
      assert.same({}, { (client_of(MARK .. '{"results":[],"pagination":{"done":true}}', 200, size).operations:list "1")[1] })
      assert.equal(7, (client_of(MARK .. "7", 200, size):request("GET", "/x")))
      local _, err = client_of(MARK .. '{"detail":"what is wrong"}', 400, size).installations:list()
      assert.truthy(err.message:find("what is wrong", 1, true), err.message)
    end
  end)

  it("is not a value, does not come twice, and nowhere else", function()
    for _, body in ipairs { MARK, MARK:sub(1, 2), MARK:sub(1, 1), MARK .. MARK .. "[]", "[" .. MARK .. "]", " " .. MARK .. "[]",
      MARK:sub(1, 2) .. "[]" } do
      for _, size in ipairs { 1, 2, 100 } do
        local none, err = client_of(body, 200, size).installations:list()
        assert.is_nil(none)
        assert.equal("decode", err.kind, body)
      end
    end
  end)

  it("is passed over through libcurl", function()
    finally(function() server:control("faults", { clear = true }) end)
    server:control("faults", { body = MARK .. '[{"id":"1"}]', type = "application/json" })
    local client = ampersand.new { base_url = server.url, api_key = server.key, project = "p", integration = "i" }
    for _ = 1, 2 do assert.equal("1", assert(client.installations:list())[1].id) end
    for one in client.installations:each() do assert.equal("1", one.id) end
  end)
end)
