-- Keys and tokens never reach what is shown or kept: errors of every layer, events, journals, recordings.

local ampersand = require "ampersand"
local double = require "support.double"

local KEY, TOKEN = "key-4711-secret", "opaque-token-0815" -- not of a shape that is recognised
local ECHO = ('{"title":"no","detail":"bad %s and %s","requestId":"%s"}'):format(KEY, TOKEN, TOKEN)

local function show(value, depth)
  if type(value) ~= "table" then return tostring(value) end
  local parts = { tostring(value) }
  for k, v in pairs(value) do
    if (depth or 0) < 8 then parts[#parts + 1] = show(k, (depth or 0) + 1) .. "=" .. show(v, (depth or 0) + 1) end
  end
  return table.concat(parts, "\n")
end

local function is_clean(value)
  local text = show(value)
  for _, secret in ipairs { KEY, TOKEN } do assert.is_nil(text:find(secret, 1, true), text) end
  return text
end

local function client_of(credential, ...)
  local settings = { project = "p", integration = "i", retry = false, transport = double.answers(...) }
  for name, value in pairs(credential) do settings[name] = value end
  return ampersand.new(settings)
end

local CREDENTIALS = {
  { api_key = KEY, bearer = TOKEN }, { bearer = TOKEN, api_key = KEY, user_agent = "x" },
  { api_key = KEY, bearer = function() return TOKEN end },
}

local function failures_of(credential)
  local refused = double.problem(400, ECHO)
  local broken = { fault = "broken: " .. KEY .. " " .. TOKEN, kind = "protocol", sent = true }
  local failed = double.json(('{"id":"op","status":"failure","result":"%s %s"}'):format(KEY, TOKEN))
  local installation = '[{"id":"1","config":{"id":"c","content":{"provider":"p","read":{"objects":{}}}}}]'
  local errors, events = {}, {}
  local function keep(value, err) errors[#errors + 1] = value == nil and err or assert(err, "no error") end
  local function client(...)
    local made = client_of(credential, ...)
    made.users:me() -- a function is asked for its token now
    return made:with { on_event = function(event) events[#events + 1] = event end }
  end
  keep(client(double.json "{}", refused).installations:list())
  keep(client(double.json "{}", refused).users:me())
  keep(client(double.json "{}", broken).installations:count())
  keep(select(2, pcall(function() for _ in client(double.json "{}", broken).installations:each() do error "none" end end)), "raised")
  keep(client(double.json "{}", refused).operations:wait "op")
  keep(client(double.json "{}", failed, double.json "[]").operations:wait "op")
  keep(client(double.json "{}", double.json '{"status":"x"}').operations:wait(TOKEN, { timeout = 0.001, interval = 0.01 }))
  keep(client(double.json "{}", refused).installations:explain "1")
  keep(client(double.json "{}", refused).installations:edit(function() end, { journal = false }))
  keep(client(double.json "{}", double.json(installation)):with { project = "p" }.installations:edit(function(config)
    config.content.proxy = { enabled = true }
    config.createdBy = TOKEN
  end, { journal = false }))
  return errors, events
end

describe("no secret", function()
  it("is in an error or an event, whichever layer made it", function()
    for _, credential in ipairs(CREDENTIALS) do
      local errors, events = failures_of(credential)
      assert.equal(10, #errors)
      for _, err in ipairs(errors) do is_clean(err) end
      assert.is_true(#events > 5)
      for _, event in ipairs(events) do is_clean(event) end
    end
  end)

  -- What a printer of tables finds: everything but what functions hold.
  local function found_in(value, seen)
    if type(value) ~= "table" then return tostring(value) end
    if seen[value] then return "" end
    seen[value] = true
    local parts = {}
    for k, v in pairs(value) do parts[#parts + 1] = found_in(k, seen) .. "=" .. found_in(v, seen) end
    return table.concat(parts, "\n") .. found_in(getmetatable(value), seen)
  end

  it("is found by a printer that walks a client, a call, a stream or the transport", function()
    local PASSWORD = "proxy-password-0815"
    for _, credential in ipairs(CREDENTIALS) do
      local settings = {
        base_url = "http://127.0.0.1:1", project = "p", integration = "i", retry = false, http_proxy = "http://u:" .. PASSWORD
          .. "@127.0.0.1:1", client_key_password = PASSWORD, allow_insecure_http = true,
      }
      for name, value in pairs(credential) do settings[name] = value end
      local client = ampersand.new(settings)
      local page = '{"results":[{"id":"1"},{"id":"2"}],"pagination":{"done":false,"nextPageToken":"t"}}'
      local sent, double_client = {}, client_of(credential, double.json(page))
      double_client._config.transport().begin = function(_, req)
        sent[1] = req
        return function() end, function() end
      end
      local pages = double_client.operations:stream "x"
      assert(pages:next())
      assert.is_truthy(sent[1])
      local stream = client.installations:stream()
      assert.equal("connect", select(2, stream:next()).kind)
      assert.equal("connect", select(2, client.installations:get "x").kind)
      local values = { client, client:with { project = "q" }, stream, client._config.transport(), pages, double_client }
      for i, value in ipairs(values) do
        local text = found_in(value, {})
        for _, secret in ipairs { KEY, TOKEN, PASSWORD } do
          assert.is_nil(text:find(secret, 1, true), i .. ": " .. secret)
        end
      end
    end
  end)

  it("is in the beginning of an error's body that is cut within it", function()
    for length = 6, #KEY do
      local body = ("x"):rep(2 ^ 16 - length) .. KEY .. ("y"):rep(100)
      local _, err = client_of({ api_key = KEY }, { status = 500, headers = {}, body = body }).installations:get "x"
      assert.equal(("x"):rep(2 ^ 16 - length) .. "[redacted]", err.body)
    end
  end)

  it("is in an error's body in another spelling: with escapes, in another case", function()
    local key = "Key-4711/Secret"
    for _, body in ipairs {
      '{"detail":"bad Key-4711\\/Secret"', '{"detail":"bad \\u004bey-4711/\\u0053ecret", x', "<p>Key-4711%2FSecret</p>",
      "no such host: key-4711/secret", '{"detail":"bad Key-4711\\/Secret"}',
    } do
      local _, err = client_of({ api_key = key }, { status = 500, headers = {}, body = body }).installations:get "x"
      local text = show(err):lower()
      assert.truthy(text:find("[redacted]", 1, true), text)
      assert.is_nil(text:find "4711", text)
    end
  end)

  it("is in the message of a redirect to it, whole or cut at a slash", function()
    for _, location in ipairs { "https://key-4711/Secret/x", "https://example.com/Key-4711/Secret" } do
      local redirect = { status = 302, headers = { location = location }, body = "" }
      local _, err = client_of({ api_key = "Key-4711/Secret" }, redirect).installations:get "x"
      assert.truthy(err.message:find("the server redirects to another server", 1, true), err.message)
    end
    local redirect = { status = 302, headers = { location = "https://example.com/x" }, body = "" }
    local _, err = client_of({ api_key = KEY }, redirect).installations:get "x"
    assert.truthy(err.message:find("the server redirects to https://example.com;", 1, true), err.message)
  end)

  it("gets into a journal: an edit that holds one is refused", function()
    for _, secret in ipairs { KEY, TOKEN } do
      local name = os.tmpname()
      os.remove(name)
      local client = client_of({ api_key = KEY, bearer = TOKEN }, double.json(
        '[{"id":"1","config":{"id":"c","content":{"provider":"p","proxy":{"enabled":false}},"createdBy":"me"}}]'))
      local report, err = client.installations:edit(function(config) config.createdBy = "x" .. secret end,
        { journal = name, out = function() end })
      is_clean { report = report and tostring(report), err = err }
      local file = io.open(name, "rb")
      local text = file and file:read "*a" or ""
      if file then file:close() end
      os.remove(name)
      is_clean(text)
      assert.truthy((tostring(err) .. text):find("something like a key or a token", 1, true), text .. tostring(err))
    end
  end)

  it("gets into a recording", function()
    local name = os.tmpname()
    local inner = double.answers(double.json "{}", double.problem(400, ECHO),
      double.json(('{"note":"%s","accessToken":{"token":"t-1"}}'):format(TOKEN)))
    local transport = ampersand.record(name, inner)
    local client = ampersand.new { api_key = KEY, bearer = TOKEN, project = "p", integration = "i", transport = transport }
    client.installations:get "0" -- what was never sent is not known here
    client.users:me()
    client.installations:get "1"
    client:request("GET", "/x", { query = { access_token = "q-123456" } })
    client:close()
    local file = assert(io.open(name, "rb"))
    local text = file:read "*a"
    file:close()
    os.remove(name)
    assert.truthy(text:find("[redacted]", 1, true))
    is_clean(text)
    assert.is_nil(text:find("q-123456", 1, true))
    assert.is_nil(text:find("t-1", 1, true))
  end)
end)
