local command = require "support.command"
local documents = require "support.documents"
local events = require "ampersand.cli.events"

local SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

-- Whether a value fits a schema; raises where it does not.
local function fits(schemas, schema, value, where)
  local name = schema["$ref"] and schema["$ref"]:match "[^/]+$"
  schema = name and assert(schemas[name], name) or schema
  for _, part in ipairs(schema.allOf or {}) do fits(schemas, part, value, where) end
  for _, required in ipairs(schema.required or {}) do
    assert.is_not_nil(value[required], ("%s lacks %s"):format(where, required))
  end
  if schema.oneOf then
    local count = 0
    for _, choice in ipairs(schema.oneOf) do
      if pcall(fits, schemas, choice, value, where) then count = count + 1 end
    end
    assert.equal(1, count, where .. ": oneOf")
  end
  if schema.enum then
    local found = false
    for _, allowed in ipairs(schema.enum) do found = found or allowed == value end
    assert.is_true(found, ("%s: %s"):format(where, tostring(value)))
  end
  local types = { string = "string", boolean = "boolean", integer = "number", object = "table", array = "table" }
  if types[schema.type] then assert.equal(types[schema.type], type(value), where) end
  for key, property in pairs(schema.properties or {}) do
    if value[key] ~= nil then fits(schemas, property, value[key], where .. "." .. key) end
  end
  for i, item in ipairs(schema.items and value or {}) do fits(schemas, schema.items, item, ("%s[%d]"):format(where, i)) end
end

-- All members a schema names, through references and allOf.
local function names_of(schemas, schema, names)
  schema = schema["$ref"] and schemas[schema["$ref"]:match "[^/]+$"] or schema
  for name in pairs(schema.properties or {}) do names[name] = true end
  for _, part in ipairs(schema.allOf or {}) do names_of(schemas, part, names) end
  return names
end

local function read_schemas(name)
  return require("lyaml").load(command.read(documents.dir .. "/" .. name)).components.schemas
end

local compares = documents.specs(it, pending)

describe("the ready events", function()
  local by_name = {}
  for _, event in ipairs(events) do by_name[event[1]] = event[2] end

  compares("are one of each notification, as the vendor's document has them", function()
    local schemas, count = read_schemas "notifications.yaml", 0
    for name, schema in pairs(schemas) do
      local kind = name:find "NotificationPayload$" and schema.properties.notificationType.enum[1]
      if kind then
        count = count + 1
        local event = assert.is_table(by_name[kind], kind) and by_name[kind]
        fits(schemas, schema, event, kind)
        local known = names_of(schemas, schema.properties.data, {})
        for member in pairs(event.data) do assert.is_true(known[member], kind .. "." .. member) end
      end
    end
    assert.equal(15, count)
  end)

  compares("are messages with records of every read and every subscription, inline and behind a link", function()
    local schemas, seen = read_schemas "webhook.yaml", {}
    local known, known_records = names_of(schemas, schemas.WebhookMessage, {}), names_of(schemas, schemas.ResultEntry, {})
    for _, event in ipairs(events) do
      local message = event[2]
      if message.action then
        fits(schemas, schemas.WebhookMessage, message, event[1])
        for member in pairs(message) do assert.is_true(known[member], event[1] .. "." .. member) end
        seen[message.resultInfo.type] = true
        if message.readType then seen[message.readType] = true end
        for _, record in ipairs(message.result or {}) do
          for member in pairs(record) do assert.is_true(known_records[member], event[1] .. "." .. member) end
          if record.subscribeEventType then seen[record.subscribeEventType] = true end
        end
      end
    end
    local properties = schemas.ResultEntry.properties.subscribeEventType.enum
    for _, list in ipairs { properties, schemas.WebhookMessage.properties.readType.enum, { "inline", "url" } } do
      for _, kind in ipairs(list) do assert.is_true(seen[kind], kind) end
    end
  end)
end)

describe("ampersand webhook", function()
  local session

  setup(function()
    session = command.session()
    session.env.AMPERSAND_WEBHOOK_SECRET = SECRET
  end)
  teardown(function() session:close() end)

  local function send(url, words, more, input)
    return session:call(("ampersand webhook send %s %s"):format(url, words or ""), more, input)
  end

  -- A listener, and its URL. What it prints is for others too: it is a process.
  local function listen(words, more)
    local listener = session:start("ampersand webhook listen " .. words, more)
    listener:await(function() return listener:output("err"):find "listening %S+" end)
    return listener, listener:output("err"):match "listening (%S+)"
  end

  it("sends every ready event to a listener, which verifies it and prints one line", function()
    local listener, url = listen("--max " .. #events)
    local names = {}
    for name in session:call("ampersand webhook events").out:gmatch "%S+" do
      local sent = send(url, "--event " .. name)
      assert.equal(0, sent.code, sent.err)
      names[#names + 1] = { name, (sent.out:match "^(msg_%w+): the receiver answered 204 ") }
    end
    local result, lines = listener:wait(), 0
    assert.equal(0, result.code, result.err)
    for line in result.out:gmatch "[^\n]+" do
      lines = lines + 1
      local name, id = names[lines][1], names[lines][2]
      assert.equal(events[lines][1], name)
      assert.truthy(line:find(name == "read.url" and "read.backfill" or name, 1, true), line)
      assert.equal(id, line:match "^%d%d:%d%d:%d%d (msg_%w+) .*, verified %-> 204$", line)
    end
    assert.equal(#events, lines)
  end)

  it("forwards the bytes as they came, with the signature, and passes the answer back", function()
    -- The bytes are no JSON that an encoder would write; the second listener verifies their signature.
    local odd = '{ "notificationType" :"connection.error",\r\n "data": {"groupRef":"Zöe", "n": 1.50} }\n\n'
    local up, up_url = listen "--max 1"
    local listener, url = listen(("--forward-to '%shooks?a=b' --max 2"):format(up_url))
    command.write(session.home .. "/odd.json", odd)
    local sent = send(url, '--event "$HOME/odd.json" --id msg_odd')
    assert.truthy(sent.out:find("msg_odd: the receiver answered 204", 1, true), sent.out .. sent.err)
    assert.truthy(up:wait().out:find("msg_odd connection.error Zöe, verified -> 204\n", 1, true), up:output())
    local lost = send(url, "--event connection.deleted")
    assert.truthy(lost.code == 1 and lost.out:find("answered 502", 1, true), lost.out .. lost.err)
    local lines = listener:wait().out
    assert.truthy(lines:find("msg_odd connection.error Zöe, verified, forwarded -> 204\n", 1, true), lines)
    assert.truthy(lines:find "not forwarded: .*%-> 502\n", lines)
  end)

  it("refuses what is not signed with the secret, does not forward it, and shows no secret", function()
    local http = require "socket.http"
    local up, up_url = listen "--max 1"
    local listener, url = listen(("--forward-to %s --max 4"):format(up_url))
    local forged = send(url, "--id msg_forged", { AMPERSAND_WEBHOOK_SECRET = "whsec_AAAA" })
    assert.truthy(forged.code == 1 and forged.out:find("answered 400", 1, true), forged.out .. forged.err)
    local good = send(url, "--id msg_good --event connection.error")
    assert.equal(405, (select(2, http.request(url))))
    assert.equal(400, (select(2, http.request(url, "{}"))))
    local forwarded, refused = up:wait(), listener:wait()
    assert.truthy(refused.out:find("msg_forged refused: no signature of the webhook fits", 1, true), refused.out)
    assert.is_nil(forwarded.out:find("forged", 1, true))
    assert.truthy(forwarded.out:find("msg_good", 1, true))
    for _, result in ipairs { forged, good, forwarded, refused } do
      assert.is_nil((result.out .. result.err):find(SECRET:sub(7), 1, true))
    end
  end)

  it("listens without a secret, and says that nothing is verified", function()
    local without = { AMPERSAND_WEBHOOK_SECRET = false }
    local listener, url = listen("--max 2", without)
    assert.equal(204, (select(2, require("socket.http").request(url, "no json"))))
    assert.equal(0, send(url, "--secret - --event connection.error", without, SECRET).code)
    local result = listener:wait()
    assert.truthy(result.err:find("(no secret: not verified)", 1, true), result.err)
    assert.truthy(result.out:find("- not a JSON object, not verified -> 204\n", 1, true), result.out)
    assert.truthy(result.out:find("connection.error group-123, not verified -> 204\n", 1, true), result.out)
  end)

  it("names the package that listening needs", function()
    local absent = [[package.preload.socket = function() error "absent" end]]
    local result = session:run(([["$LUA" -e '%s' bin/ampersand webhook listen]]):format(absent))
    assert.equal(1, result.code)
    assert.truthy(result.err:find("luasocket is missing; install it (Debian: lua-socket", 1, true), result.err)
  end)

  it("says what is wrong with its arguments", function()
    for words, expected in pairs {
      ["send http://127.0.0.1:1/ --event conection.error"] = { 2, 'did you mean "connection.error"?' },
      ["send http://127.0.0.1:1/ --event ./nothing.json"] = { 2, "cannot read ./nothing.json" },
      ["send http://127.0.0.1:1/ --event LICENSE"] = { 1, "connect" }, -- a file in this folder
      ["send 127.0.0.1:1"] = { 2, "is not an http(s) URL" },
      ["send ftp://127.0.0.1/"] = { 2, "is not an http(s) URL" },
      ["send http://127.0.0.1:1/"] = { 1, "connect" },
      ["send http://127.0.0.1:1/ --id a.b"] = { 2, '"id" must' },
      ["listen --port 70000"] = { 2, "--port: expected a number from 0 to 65535, got '70000'" },
      ["listen --forward-to nowhere"] = { 2, "--forward-to: nowhere is not an http(s) URL" },
      ["events nothing"] = { 2, 'no event "nothing"' },
    } do
      local result = session:call("ampersand webhook " .. words)
      assert.equal(expected[1], result.code, words .. ": " .. result.err)
      assert.truthy(result.err:find(expected[2], 1, true), words .. ": " .. result.err)
    end
    for _, words in ipairs { "send http://127.0.0.1:1/", "verify /dev/null" } do
      local result = session:call("ampersand webhook " .. words, { AMPERSAND_WEBHOOK_SECRET = false })
      assert.same({ 4, true }, { result.code, result.err:find("no webhook secret", 1, true) ~= nil }, words)
      local named = session:call("ampersand webhook " .. words, { AMPERSAND_WEBHOOK_SECRET = false, AMP_WEBHOOK_SECRET = SECRET })
      assert.is_nil(named.err:find("no webhook secret", 1, true), named.err)
    end
    local result = session:call("ampersand webhook listen --max 1", { AMPERSAND_WEBHOOK_SECRET = "whsec_!" })
    assert.equal(4, result.code)
  end)

  it("ends quietly when its output is closed", function()
    local pipe = session:start "{ ampersand webhook listen; echo code $? >&2; } | head -n 1"
    pipe:await(function() return pipe:output("err"):find "listening %S+" end)
    local url = pipe:output("err"):match "listening (%S+)"
    send(url)
    pipe:await(function() return send(url).code ~= 0 end) -- `head` has gone after the first line
    local result = pipe:wait()
    assert.truthy(result.out:find("verified -> 204", 1, true), result.out)
    assert.equal(("listening %s\ncode 141\n"):format(url), result.err)
  end)
end)
