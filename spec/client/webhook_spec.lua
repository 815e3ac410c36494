local ampersand = require "ampersand"
local double = require "support.double"
local fault = require "support.fault"
local openssl = require "support.openssl"
local webhook = require "ampersand.webhook"

local NOW = 1700000000
local RAW = "twenty-four secret bytes"
local SECRET = "whsec_" .. openssl.base64(RAW)
local BODY = '{"action":"read","groupRef":"acme","resultInfo":{"type":"inline","numRecords":1},'
  .. '"result":[{"fields":{"email":"jörg@example.com"}}]}'

-- What the vendor's side computes, by the openssl command.
local function signature(raw, id, stamp, body)
  return "v1," .. openssl.base64(openssl.hmac(raw, id .. "." .. stamp .. "." .. body))
end

local function signed(change)
  local headers = {
    ["svix-id"] = "msg_1", ["svix-timestamp"] = tostring(NOW),
    ["svix-signature"] = signature(RAW, "msg_1", tostring(NOW), BODY),
  }
  for name, value in pairs(change or {}) do headers[name] = value or nil end
  return headers
end

local function verify(headers, body, secret, given)
  given = given or {}
  given.now = given.now or NOW
  return webhook.verify(secret or SECRET, headers or signed(), body or BODY, given)
end

local function refused(kind, words, value, err)
  assert.is_nil(value)
  assert.equal(kind, err.kind)
  assert.truthy(err.message:find(words, 1, true), err.message)
  assert.is_false(err.retryable)
  local text = tostring(err)
  assert.is_nil(text:find(SECRET:sub(7), 1, true))
  assert.is_nil(text:find("example.com", 1, true))
end

describe("webhook.verify", function()
  it("accepts what Svix documents as an example", function()
    local message, info = webhook.verify("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", {
      ["svix-id"] = "msg_p5jXN8AQM9LWM0D4loKWxJek", ["svix-timestamp"] = "1614265330",
      ["svix-signature"] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }, '{"test": 2432232314}', { now = 1614265330 })
    assert.equal(2432232314, message.test)
    assert.same({ id = "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp = 1614265330 }, info)
  end)

  it("accepts what the openssl command signed, and hands back the message", function()
    local message, info = verify()
    assert.equal("acme", message.groupRef)
    assert.equal("jörg@example.com", message.result[1].fields.email)
    assert.equal("msg_1", info.id)
    assert.equal(NOW, info.timestamp)
  end)

  it("reads headers in any case, under either name, repeated ones too", function()
    local s = signature(RAW, "msg_1", tostring(NOW), BODY)
    local other = signature("another secret", "msg_1", tostring(NOW), BODY)
    for _, headers in ipairs {
      { ["Svix-Id"] = "msg_1", ["SVIX-TIMESTAMP"] = tostring(NOW), ["Svix-Signature"] = s },
      { ["webhook-id"] = "msg_1", ["webhook-timestamp"] = tostring(NOW), ["webhook-signature"] = s },
      { ["Webhook-Id"] = "msg_1", ["Webhook-Timestamp"] = tostring(NOW), ["Webhook-Signature"] = s },
      signed { ["svix-signature"] = { other, s } }, signed { ["svix-signature"] = other .. ", " .. s },
      signed { ["webhook-id"] = "forged" }, signed { [1] = 7 },
    } do
      assert.is_table((verify(headers)))
    end
  end)

  it("finds the right one of several signatures and versions", function()
    local right = signature(RAW, "msg_1", tostring(NOW), BODY)
    local wrong = signature("another secret", "msg_1", tostring(NOW), BODY)
    for _, text in ipairs {
      right .. " " .. wrong, wrong .. " " .. right, "v1a,AAAA " .. right, "v2,x v1,y " .. right,
    } do
      assert.is_table((verify(signed { ["svix-signature"] = text })))
    end
    for _, text in ipairs {
      wrong .. " " .. wrong, (right:gsub("^v1,", "v2,")), (right:gsub("^v1,", "v1a,")), (right:gsub("^v1,", "")),
      "v1,", "v1", "", ",", right:sub(1, -2), right .. "A", right:upper(),
    } do
      refused("protocol", "no signature of the webhook fits", verify(signed { ["svix-signature"] = text }))
    end
  end)

  it("accepts any of the secrets while they are rotated", function()
    local new = "whsec_" .. openssl.base64 "a new secret"
    assert.is_table((verify(nil, nil, { new, SECRET })))
    assert.is_table((verify(nil, nil, { SECRET, new })))
    assert.is_table((verify(nil, nil, SECRET:sub(7))))
    assert.is_table((verify(nil, nil, SECRET .. "\n")))
    refused("protocol", "no signature of the webhook fits", verify(nil, nil, { new }))
  end)

  it("refuses secrets that are empty, missing or not base64, also in a list with a good one", function()
    for _, secret in ipairs { "", "whsec_", "  ", {}, { "" }, { SECRET, "" }, { SECRET, "whsec_" } } do
      refused("config", "empty", verify(nil, nil, secret))
    end
    refused("config", "missing", webhook.verify(nil, signed(), BODY, { now = NOW }))
    refused("config", "not base64", verify(nil, nil, "whsec_!!!"))
    refused("config", "not base64", verify(nil, nil, { SECRET, "a b" }))
    -- an attacker who knows that the secret is empty could have signed this
    local forged = signature("", "msg_1", tostring(NOW), BODY)
    refused("config", "empty", verify(signed { ["svix-signature"] = forged }, nil, ""))
  end)

  it("allows five minutes both ways, and no second more", function()
    for _, shift in ipairs { -300, -299, 0, 299, 300 } do
      assert.is_table((verify(nil, nil, nil, { now = NOW + shift })))
    end
    refused("protocol", "too old (301 s, 300 are allowed)", verify(nil, nil, nil, { now = NOW + 301 }))
    refused("protocol", "from the future (301 s", verify(nil, nil, nil, { now = NOW - 301 }))
    assert.is_table((verify(nil, nil, nil, { now = NOW + 5, tolerance = 5 })))
    refused("protocol", "too old", verify(nil, nil, nil, { now = NOW + 6, tolerance = 5 }))
    refused("protocol", "from the future", verify(nil, nil, nil, { now = NOW - 1, tolerance = 0 }))
    refused("protocol", "too old", webhook.verify(SECRET, signed(), BODY))
    local now = tostring(os.time())
    local fresh = { ["svix-timestamp"] = now, ["svix-signature"] = signature(RAW, "msg_1", now, BODY) }
    assert.is_table((webhook.verify(SECRET, signed(fresh), BODY)))
    assert.is_table((verify(nil, nil, nil, { now = NOW + 1e8, tolerance = math.huge })))
  end)

  it("refuses a message that was changed anywhere", function()
    local words = "no signature of the webhook fits"
    for i = 1, #BODY, 9 do
      local changed = BODY:sub(1, i - 1) .. string.char((BODY:byte(i) + 1) % 128) .. BODY:sub(i + 1)
      refused("protocol", words, verify(nil, changed))
    end
    refused("protocol", words, verify(nil, BODY .. " "))
    refused("protocol", words, verify(nil, ""))
    refused("protocol", words, verify(signed { ["svix-id"] = "msg_2" }))
    refused("protocol", words, verify(signed { ["svix-timestamp"] = tostring(NOW + 1) }))
    refused("protocol", words, verify(signed { ["svix-timestamp"] = "0" .. NOW }))
    -- the dots that join the three parts are no way to move text from one to the next
    refused("protocol", words, verify({
      ["svix-id"] = "msg_1." .. NOW, ["svix-timestamp"] = tostring(NOW),
      ["svix-signature"] = signed()["svix-signature"],
    }))
  end)

  it("refuses a message without a signature or with an impossible time", function()
    for _, name in ipairs { "svix-id", "svix-timestamp", "svix-signature" } do
      refused("protocol", "not signed", verify(signed { [name] = false }))
      if name ~= "svix-timestamp" then refused("protocol", "not signed", verify(signed { [name] = NOW })) end
    end
    refused("protocol", "not signed", verify({}))
    refused("protocol", "not signed", verify({ ["svix-id"] = "msg_1", ["webhook-timestamp"] = tostring(NOW),
      ["webhook-signature"] = "v1,x" }))
    for _, stamp in ipairs { "", "now", "-5", "1e9", "0x65", "1700000000.5", " " .. NOW, ("9"):rep(40), NOW .. "\n" } do
      refused("protocol", "not a number of seconds", verify(signed { ["svix-timestamp"] = stamp }))
    end
  end)

  it("says so when a signed message is not a JSON object", function()
    for _, body in ipairs { "", "hello", "[1]", "7", '{"a":' } do
      local headers = signed { ["svix-signature"] = signature(RAW, "msg_1", tostring(NOW), body) }
      refused("decode", "not a JSON object", verify(headers, body))
    end
  end)

  it("reads a secret as other base64 readers do: spare bits, more or less padding, the URL's alphabet", function()
    local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for _, raw in ipairs { "\251\255\254 one secret", "\251\255\254 a secret", "\251\255\254 secrets" } do
      local headers = signed { ["svix-signature"] = signature(raw, "msg_1", tostring(NOW), BODY) }
      local digits = openssl.base64(raw):gsub("=", "")
      local spare = ({ [0] = 1, [2] = 16, [3] = 4 })[#digits % 4]
      local last = alphabet:find(digits:sub(-1), 1, true)
      for bits = 0, spare - 1 do
        local variant = digits:sub(1, -2) .. alphabet:sub(last + bits, last + bits)
        for _, text in ipairs { variant, variant .. "=", variant .. "==", (variant:gsub("%+", "-"):gsub("/", "_")) } do
          assert.is_table((verify(headers, nil, "whsec_" .. text)), text)
          assert.is_table((verify(headers, nil, { SECRET, text })), text)
        end
      end
    end
    for _, text in ipairs { "A", "AAAAA", "A=A", "=", "====", "AA A", "AAA\nA" } do
      refused("config", "secret", verify(nil, nil, "whsec_" .. text))
    end
  end)

  it("takes a timestamp that was decoded as a number", function()
    assert.is_table((verify(signed { ["svix-timestamp"] = NOW })))
    assert.equal(NOW, select(2, verify(signed { ["svix-timestamp"] = NOW + 0.0 })).timestamp)
    for _, stamp in ipairs { -5, NOW + 0.5, 1 / 0, 0 / 0, 2 ^ 60 } do
      refused("protocol", "not a number of seconds", verify(signed { ["svix-timestamp"] = stamp }))
    end
  end)

  it("separates signatures at blanks, as other readers do, never at commas", function()
    local right = signature(RAW, "msg_1", tostring(NOW), BODY)
    local wrong = signature("another secret", "msg_1", tostring(NOW), BODY)
    for _, text in ipairs {
      right .. "," .. wrong, wrong .. "," .. right, right .. "," .. right, "x," .. right, right .. ",,", "v1;" .. right,
    } do
      refused("protocol", "no signature of the webhook fits", verify(signed { ["svix-signature"] = text }))
    end
    for _, text in ipairs { wrong .. ", " .. right, right .. ", " .. wrong, "  " .. right .. "\t" .. wrong } do
      assert.is_table((verify(signed { ["svix-signature"] = text })), text)
    end
    refused("protocol", "separated by blanks", verify(signed { ["svix-signature"] = right .. "," .. wrong }))
  end)

  it("raises on invalid arguments, at the caller's line", function()
    for _, arguments in ipairs {
      { SECRET, nil, BODY }, { SECRET, "svix-id", BODY }, { SECRET, signed(), nil }, { SECRET, signed(), {} },
      { 7, signed(), BODY }, { { 7 }, signed(), BODY }, { SECRET, signed(), BODY, { tolerence = 5 } },
      { SECRET, signed(), BODY, { tolerance = -1 } }, { SECRET, signed(), BODY, { tolerance = 0 / 0 } },
      { SECRET, signed(), BODY, { now = "today" } },
    } do
      local ok, message = pcall(function()
        return webhook.verify(arguments[1], arguments[2], arguments[3], arguments[4]), nil
      end)
      assert.is_false(ok)
      assert.truthy(tostring(message):find("webhook_spec.lua", 1, true), tostring(message))
    end
  end)
end)

describe("webhook.sign", function()
  it("makes the headers that verify accepts, and openssl computes", function()
    local headers = webhook.sign(SECRET, BODY, { id = "msg_1", now = NOW })
    assert.same(signed(), headers)
    assert.equal("acme", verify(headers).groupRef)
  end)

  it("takes the clock, and an id that is new at every call", function()
    local seen = {}
    for _ = 1, 50 do
      local headers = webhook.sign(SECRET, BODY)
      local _, info = assert(webhook.verify(SECRET, headers, BODY))
      assert.is_nil(seen[info.id])
      seen[info.id] = true
      assert.is_true(math.abs(info.timestamp - os.time()) <= 2)
      assert.truthy(info.id:find "^msg_%w+$")
    end
  end)

  it("signs with every secret while they are rotated", function()
    local new = "whsec_" .. openssl.base64 "a new secret"
    local headers = webhook.sign({ new, SECRET }, BODY, { id = "msg_1", now = NOW })
    for _, secret in ipairs { new, SECRET } do assert.is_table((verify(headers, nil, secret))) end
    refused("protocol", "no signature", verify(headers, nil, "whsec_" .. openssl.base64 "a third secret"))
  end)

  it("refuses secrets that verify would refuse", function()
    for _, secret in ipairs { "", "whsec_", "whsec_!!!", {} } do refused("config", "secret", webhook.sign(secret, BODY)) end
    refused("config", "missing", webhook.sign(nil, BODY))
  end)

  it("raises on invalid arguments, at the caller's line", function()
    for _, arguments in ipairs {
      { SECRET }, { SECRET, {} }, { 7, BODY }, { SECRET, BODY, { id = "" } }, { SECRET, BODY, { id = "a.b" } },
      { SECRET, BODY, { id = 7 } }, { SECRET, BODY, { now = "today" } }, { SECRET, BODY, { now = -1 } },
      { SECRET, BODY, { now = 0 / 0 } }, { SECRET, BODY, { at = 7 } }, { SECRET, BODY, { id = "a\nb" } },
    } do
      local ok, message = pcall(function() return webhook.sign(arguments[1], arguments[2], arguments[3]), nil end)
      assert.is_false(ok)
      assert.truthy(tostring(message):find("webhook_spec.lua", 1, true), tostring(message))
      assert.truthy(tostring(message):find("webhook.sign", 1, true), tostring(message))
    end
  end)
end)

describe("webhook.results", function()
  local function collect(message, given)
    local list = {}
    for record in webhook.results(message, given) do list[#list + 1] = record end
    return list
  end

  local function link(url)
    url = url or "https://files.example.com/a/b.json?sig=s3cret"
    return { resultInfo = { type = "url", downloadUrl = url, numRecords = 2 } }
  end

  it("iterates over what the message brings itself", function()
    local records = collect((verify()))
    assert.equal(1, #records)
    assert.equal("jörg@example.com", records[1].fields.email)
    assert.same({}, collect { resultInfo = { type = "inline", numRecords = 0 }, result = {} })
    assert.same({}, collect { action = "subscribe" })
    assert.same({ { id = "1" } }, collect { action = "subscribe", result = { { id = "1" } } })
  end)

  it("downloads what stands behind the link, without a key and without the client's headers", function()
    local transport = double.answers(double.pieces { '[{"fields":{"id"', ':"1"}},{"fie', 'lds":{"id":"2"}}]' })
    local client = double.client(transport, { headers = { ["X-Private"] = "mine" } })
    local records = collect(link(), { client = client })
    assert.equal(2, #records)
    assert.equal("2", records[2].fields.id)
    local req = transport.asked[1]
    assert.equal("GET", req.method)
    assert.equal("https://files.example.com/a/b.json?sig=s3cret", req.url)
    assert.is_true(req.stream)
    for name, value in pairs(req.headers) do
      assert.is_nil(name:lower():find("key", 1, true) or name:lower():find("authorization", 1, true))
      assert.is_nil(value:find("test-key", 1, true) or value:find("mine", 1, true))
    end
  end)

  it("takes a transport instead of a client", function()
    local function transport() return double.json '[{"id":"1"}]' end
    assert.equal("1", collect(link(), { transport = transport })[1].id)
  end)

  it("tries a download again before its first record, and never after it", function()
    local transport = double.answers({ status = 503 }, double.json '[{"id":"1"}]')
    assert.equal(1, #collect(link(), { client = double.client(transport) }))
    assert.equal(2, #transport.asked)
    transport = double.answers(double.pieces({ '[{"id":"1"},', '{"id":' }, "the connection was reset", "closed"))
    local seen = 0
    local ok, err = pcall(function()
      for _ in webhook.results(link(), { client = double.client(transport) }) do seen = seen + 1 end
    end)
    assert.is_false(ok)
    assert.equal("closed", err.kind)
    assert.equal(1, seen)
    assert.equal(1, err.delivered)
    assert.equal(1, #transport.asked)
  end)

  it("raises what went wrong, without the signature of the link", function()
    for _, case in ipairs {
      { "status", { status = 403, headers = {}, body = "<Error>sig=s3cret</Error>" } },
      { "status", { status = 302, headers = { location = "https://evil.example.com/" }, body = "" } },
      { "decode", double.json '{"error":"x"}' }, { "decode", double.json "[{]" },
      { "closed", { fault = "reset", kind = "closed" } },
    } do
      local ok, err = pcall(collect, link(), { client = double.client(double.answers(case[2]), { retry = false }) })
      assert.is_false(ok)
      assert.equal(case[1], err.kind)
      assert.is_nil(tostring(err):find("s3cret", 1, true))
      assert.truthy(tostring(err):find("https://files.example.com", 1, true), tostring(err))
    end
  end)

  it("downloads only from https, or from this machine", function()
    for _, url in ipairs {
      "http://files.example.com/a", "file:///etc/passwd", "ftp://x/", "https://me:pw@x/", "", "x",
    } do
      local asked = double.answers(double.json "[]")
      local ok, err = pcall(collect, link(url), { client = double.client(asked) })
      assert.is_false(ok)
      assert.equal("protocol", err.kind)
      assert.equal(0, #asked.asked)
    end
    assert.same({}, collect(link "http://127.0.0.1:9/a", { client = double.client(double.answers(double.json "[]")) }))
    local ok, err = pcall(collect, { resultInfo = { type = "url" } })
    assert.is_false(ok)
    assert.truthy(err.message:find("no downloadUrl", 1, true))
  end)

  it("raises on invalid arguments", function()
    assert.has_error(function() webhook.results(nil) end)
    assert.has_error(function() webhook.results({}, { klient = true }) end)
    local client = double.client(double.answers(double.json "[]"))
    client:close()
    assert.has_error(function() webhook.results(link(), { client = client }) end)
  end)
end)

describe("webhook.results over real connections", function()
  local server, client

  setup(function() server = fault.start() end)
  teardown(function() server:stop() end)
  before_each(function() client = ampersand.new { api_key = "test-key", http_proxy = "", retry = false } end)
  after_each(function() client:close() end)

  local function collect(path, given)
    given = given or { client = client }
    local ids = {}
    local link = server:url(path .. (path:find("?", 1, true) and "&" or "?") .. "signature=s3cret")
    local message = { resultInfo = { type = "url", downloadUrl = link } }
    local ok, err = pcall(function()
      for record in webhook.results(message, given) do ids[#ids + 1] = record.id end
    end)
    return table.concat(ids), not ok and err or nil
  end

  it("downloads, plain and compressed, with a client or without", function()
    for _, path in ipairs { "items", "gzip", "until_close" } do assert.equal("abc", (collect(path))) end
    assert.equal("abc", (collect("items", {})))
  end)

  it("raises when the download is cut, refused or sent elsewhere", function()
    for path, kind in pairs {
      short_body = "closed", cut_chunk = "closed", close_at_once = "closed", unknown = "status",
      ["redirect?code=302&to=http://127.0.0.1:9/"] = "status", echo = "decode", silent = "timeout",
    } do
      local ids, err = collect(path, { client = client, timeout = path == "silent" and 0.3 or 10 })
      assert.is_table(err, path)
      assert.equal(kind, err.kind, path .. ": " .. tostring(err))
      assert.is_nil(tostring(err):find("s3cret", 1, true))
      assert.is_true(ids == "" or ids == "abc" or ids == "ab", path .. ": " .. ids)
    end
  end)
end)
