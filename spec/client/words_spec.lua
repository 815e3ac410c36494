-- What errors and refusals say: the words of every shape of error body, once each, and what was wrong with a call.

local ampersand = require "ampersand"
local double = require "support.double"
local Error = require "ampersand.client.error"

describe("the words of an error", function()
  it("are found in every shape of body", function()
    for body, words in pairs {
      ['{"error":{"message":"gone away","code":7}}'] = "500: gone away",
      ['[{"message":"gone away","errorCode":"X"},{"message":"and more"}]'] = "500: gone away; and more",
      ['{"errors":[{"message":"gone away"},"plain"]}'] = "500: gone away; plain",
      ['{"title":"Bad","causes":[{"title":"first"},{"detail":"second"}]}'] = "500 Bad: first; second",
      ['{"error":"invalid_grant","error_description":"the token is old"}'] = "500: invalid_grant; the token is old",
      ['{"message":"m","error":{"errors":[{"message":"deep"}]}}'] = "500: m; deep",
      ['{"title":"Bad","detail":"Bad"}'] = "500 Bad",
      ['"text"'] = '500: "text"', ['{}'] = "500", ['[]'] = "500: []", ['[[[[[[["deep"]]]]]]]'] = "500",
    } do
      local _, err = double.client(double.answers(double.problem(500, body)), { retry = false }).installations:list()
      if body ~= "[]" then assert.equal(words, err.message, body) end
    end
  end)

  it("do not come twice", function()
    local message = Error.status_message(422, {
      title = "Validation", detail = "groupRef is required", remedy = "Give groupRef",
      issues = { { name = "body.groupRef", detail = "GroupRef is required" }, { name = "body.x", detail = "is odd" } },
    })
    assert.equal("422 Validation: groupRef is required; body.x: is odd; Give groupRef", message)
  end)

  it("name the id that was not found, but no key", function()
    local function message(call)
      local client = double.client(double.answers(double.problem(404, '{"title":"Not Found"}')))
      return (select(2, call(client)).message)
    end
    assert.equal("404 Not Found (installationId nope)", message(function(c) return c.installations:get "nope" end))
    assert.equal("404 Not Found (projectIdOrName p?)", message(function(c) return c.projects:get "p\27" end))
    assert.equal("404 Not Found", message(function(c) return c.api_keys:get "secret-key-1" end))
  end)
end)

describe("an answer of another shape than the operation declares", function()
  it("is kind decode, not a success", function()
    for body, words in pairs {
      ["7"] = "a number", ['"x"'] = "a string", ["null"] = "null", ["[]"] = "an array", ["true"] = "a boolean",
    } do
      local client = double.client(double.answers(double.json(body)))
      for _, call in ipairs {
        function() return client.installations:get "1" end,
        function() return client.installations:create { groupRef = "g", config = { content = {} } } end,
        function() return client.installations:update("1", { updateMask = { "x" }, installation = {} }) end,
        function() return client.providers:list() end,
      } do
        local value, err = call()
        assert.is_nil(value)
        assert.equal("decode", err.kind)
        assert.is_true(err.sent)
        assert.truthy(err.message:find("expected an object, got " .. words, 1, true), err.message)
      end
      if body ~= "null" then assert.is_not_nil((client:request("GET", "/x"))) end
    end
  end)
end)

describe("a refusal", function()
  local client = double.client(double.answers(double.json "{}"))
  local function says(words, call)
    local ok, message = pcall(call)
    assert.is_false(ok)
    assert.truthy(tostring(message):find(words, 1, true), tostring(message))
  end

  it("says what is wrong with a call", function()
    says("call it with a dot", function() ampersand:new {} end)
    says('did you mean "timeout"', function() client.installations:get("x", { timout = 3 }) end)
    says("operations:wait: the id of the operation is missing", function() client.operations:wait() end)
    says("installations:explain: the id of the installation is missing", function() client.installations:explain() end)
    says("task 1 must be a function, got number", function() client:parallel(3, { 1, 2 }) end)
    says('"groupRef" is required', function() client.connections:create() end)
    says('"groupRef" is required', function() client.connections:create {} end)
    local result = double.client(double.answers(double.json '{"operationId":"op"}')).installations:read("contact",
      { groupRef = "g", mode = "async" })
    says("call it with a colon", function() result.wait() end)
    says("call it with a colon", function() result.wait { timeout = 1 } end)
  end)

  it("says that a resource is not a table, where the Lua asks", function()
    says("client.installations is not a table", function() return client.installations[1] end)
    if _VERSION ~= "Lua 5.1" then
      says("client.installations is not a table", function() return #client.installations end)
      says("client.installations is not a table", function() ipairs(client.installations)(client.installations, 0) end)
    end
  end)

  it("comes before anything is sent for headers, agents and keys that cannot be sent", function()
    for _, options in ipairs {
      { headers = { ["a b"] = "1" } }, { headers = { a = "1\r\nb: 2" } }, { user_agent = "a\nb" }, { api_key = "a\n" },
      { bearer = "a\r" },
    } do
      says("", function() ampersand.new(options) end)
      says("", function() client:with(options) end)
    end
  end)
end)

describe("a bearer function", function()
  local b64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  local function encode(text)
    local out, bits, count = {}, 0, 0
    for i = 1, #text do
      bits, count = bits * 256 + text:byte(i), count + 8
      while count >= 6 do
        count = count - 6
        local top = math.floor(bits / 2 ^ count)
        out[#out + 1] = b64:sub(top + 1, top + 1)
        bits = bits - top * 2 ^ count
      end
    end
    if count > 0 then
      local top = bits * 2 ^ (6 - count)
      out[#out + 1] = b64:sub(top + 1, top + 1)
    end
    return table.concat(out)
  end
  local function jwt(lifetime, tag)
    return ("eyJhbGciOiJub25lIn0.%s.%s"):format(
      encode(('{"exp":%d,"sub":"%s"}'):format(os.time() + lifetime, tag)), tag)
  end

  it("is passed the reason, and its JWT is kept until shortly before it expires", function()
    local reasons, given = {}, { jwt(3600, "one"), jwt(10, "two"), jwt(3600, "three"), jwt(3600, "four") }
    local transport = double.answers(double.json "{}")
    local client = ampersand.new { transport = transport, project = "p", bearer = function(reason, token)
      reasons[#reasons + 1] = reason .. (token and " " .. token:match "%w+$" or "")
      return given[#reasons]
    end }
    for _ = 1, 3 do client.users:me() end
    assert.same({ "first" }, reasons)
    transport.request = function() return { status = 401, headers = {}, body = "" } end
    client.users:me()
    assert.same({ "first", "refused one" }, reasons)
    transport.request = function() return double.json "{}" end
    client.users:me()
    client.users:me()
    assert.same({ "first", "refused one", "expired two" }, reasons)
  end)

  it("is asked once for requests that failed together", function()
    local asked, done, tasks = 0, 0, {}
    local transport = { sleep = function() coroutine.yield() end }
    function transport.request(_, req) -- takes the second token
      coroutine.yield()
      if req.headers.Authorization:find "%.two$" then return double.json "{}" end
      return { status = 401, headers = {}, body = "" }
    end
    local client = ampersand.new { transport = transport, bearer = function()
      asked = asked + 1
      for _ = 1, 3 do coroutine.yield() end
      return jwt(3600, asked == 1 and "one" or asked == 2 and "two" or "more")
    end }
    for i = 1, 10 do
      tasks[i] = coroutine.create(function()
        assert(client.users:me())
        done = done + 1
      end)
    end
    for _ = 1, 60 do
      for i = 1, 10 do
        if coroutine.status(tasks[i]) ~= "dead" then assert(coroutine.resume(tasks[i])) end
      end
    end
    assert.equal(10, done)
    assert.equal(2, asked) -- the first token, and one for all that were refused
  end)
end)
