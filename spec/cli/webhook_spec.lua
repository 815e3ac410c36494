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

  -- Runs a script with one or two listeners: `start NAME OPTIONS…` sets $NAME to the listener's URL.
  -- A listener that waits for more than a minute is ended.
  local START = [[
    rm -f "$HOME"/L.* "$HOME"/UP.*
    start() {
      name=$1; shift
      ampersand webhook listen "$@" >"$HOME/$name.out" 2>"$HOME/$name.err" &
      pids="$pids $!"
      ( sleep 60; kill $! ) >/dev/null 2>&1 &
      guards="$guards $!"
      while ! grep -q listening "$HOME/$name.err"; do sleep 0.05; done
      eval "$name=$(sed -n 's/listening \([^ ]*\).*/\1/p' "$HOME/$name.err")"
    }
    await() { wait $pids; kill $guards; }
    # The status of a GET, or of a POST with a body.
    ask() { URL=$1 BODY=${2-} $LUA -e 'local body = os.getenv "BODY"
      print((select(2, require("socket.http").request(os.getenv "URL", body ~= "" and body or nil))))'; }
  ]]
  local function run(script)
    local result = session:run(START .. script)
    local function output(name) return command.read(session.home .. "/" .. name .. ".out") end
    return result, output
  end

  it("sends every ready event to a listener, which verifies it and prints one line", function()
    local result, output = run(("start L --max %d\nfor e in $(ampersand webhook events); do "
      .. "ampersand webhook send $L --event $e || exit 9; done\nawait\n"):format(#events))
    assert.equal(0, result.code, result.out .. result.err)
    local lines = 0
    for line in output "L":gmatch "[^\n]+" do
      lines = lines + 1
      local name = events[lines][1]
      assert.truthy(line:find(name == "read.url" and "read.backfill" or name, 1, true), line)
      assert.truthy(line:find("^%d%d:%d%d:%d%d msg_%w+ .*, verified %-> 204$"), line)
      assert.truthy(result.out:find(line:match "msg_%w+" .. ": the receiver answered 204", 1, true), line)
    end
    assert.equal(#events, lines)
  end)

  it("forwards the bytes as they came, with the signature, and passes the answer back", function()
    -- The bytes are no JSON that an encoder would write; the second listener verifies their signature.
    local result, output = run [[
      printf '{ "notificationType" :"connection.error",\r\n "data": {"groupRef":"Z\303\266e", "n": 1.50} }\n\n' > "$HOME/odd.json"
      start UP --max 1
      start L --forward-to "${UP}hooks?a=b" --max 2
      ampersand webhook send $L --event "$HOME/odd.json" --id msg_odd
      ampersand webhook send $L --event connection.deleted; echo "code $?"
      await]]
    assert.truthy(result.out:find("msg_odd: the receiver answered 204", 1, true), result.out .. result.err)
    assert.truthy(output "UP":find("msg_odd connection.error Zöe, verified -> 204\n", 1, true), output "UP")
    assert.truthy(output "L":find("msg_odd connection.error Zöe, verified, forwarded -> 204\n", 1, true), output "L")
    assert.truthy(output "L":find("not forwarded: .*%-> 502\n"), output "L")
    assert.truthy(result.out:find("answered 502", 1, true) and result.out:find("code 1", 1, true), result.out)
  end)

  it("refuses what is not signed with the secret, does not forward it, and shows no secret", function()
    local result, output = run [[
      start UP --max 1
      start L --forward-to $UP --max 4
      AMPERSAND_WEBHOOK_SECRET=whsec_AAAA ampersand webhook send $L --id msg_forged; echo "code $?"
      ampersand webhook send $L --id msg_good --event connection.error
      ask $L
      ask $L '{}'
      await]]
    assert.truthy(result.out:find("answered 400", 1, true) and result.out:find("code 1", 1, true), result.out .. result.err)
    assert.truthy(result.out:find("405\n400\n", 1, true), result.out)
    local lines = output "L"
    assert.truthy(lines:find("msg_forged refused: no signature of the webhook fits", 1, true), lines)
    assert.is_nil(output "UP":find("forged", 1, true))
    assert.truthy(output "UP":find("msg_good", 1, true))
    for _, text in ipairs { result.out, result.err, lines } do assert.is_nil(text:find(SECRET:sub(7), 1, true)) end
  end)

  it("listens without a secret, and says that nothing is verified", function()
    local result, output = run [[
      secret=$AMPERSAND_WEBHOOK_SECRET; unset AMPERSAND_WEBHOOK_SECRET
      start L --max 2
      ask $L 'no json'
      printf %s "$secret" | ampersand webhook send $L --secret - --event connection.error
      cat "$HOME/L.err"
      await]]
    assert.truthy(result.out:find("(no secret: not verified)", 1, true), result.out .. result.err)
    assert.truthy(output "L":find("- not a JSON object, not verified -> 204\n", 1, true), output "L")
    assert.truthy(output "L":find("connection.error group-123, not verified -> 204\n", 1, true), output "L")
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
      local result = session:run("ampersand webhook " .. words)
      assert.equal(expected[1], result.code, words .. ": " .. result.err)
      assert.truthy(result.err:find(expected[2], 1, true), words .. ": " .. result.err)
    end
    for _, words in ipairs { "send http://127.0.0.1:1/", "verify /dev/null" } do
      local result = session:run("ampersand webhook " .. words, { AMPERSAND_WEBHOOK_SECRET = false })
      assert.same({ 4, true }, { result.code, result.err:find("no webhook secret", 1, true) ~= nil }, words)
    end
    local result = session:run("ampersand webhook listen --max 1", { AMPERSAND_WEBHOOK_SECRET = "whsec_!" })
    assert.equal(4, result.code)
  end)

  it("ends quietly when its output is closed", function()
    local result = run [[
      ampersand webhook listen --max 5 2>"$HOME/L.err" | head -n 1 &
      while ! grep -q listening "$HOME/L.err"; do sleep 0.05; done
      L=$(sed -n 's/listening \([^ ]*\).*/\1/p' "$HOME/L.err")
      for i in 1 2 3 4 5; do ampersand webhook send $L >/dev/null 2>&1; sleep 0.1; done
      wait
      cat "$HOME/L.err"]]
    assert.is_nil(result.out:find("traceback", 1, true), result.out)
    assert.truthy(result.out:find("verified -> 204", 1, true), result.out)
  end)
end)
