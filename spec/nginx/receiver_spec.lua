local nginx = require "support.openresty"

if nginx.unable(pending) then return end

local openssl = require "support.openssl"

local RAW = "twenty-four secret bytes"
local SECRET = "whsec_" .. openssl.base64(RAW)

local serial = 0

-- A message as the vendor would send it.
local function signed(body, change)
  serial = serial + 1
  local id, stamp = "msg_" .. serial, tostring(os.time())
  local headers = { ["svix-id"] = id, ["svix-timestamp"] = stamp }
  for name, value in pairs(change or {}) do headers[name] = value end
  headers["svix-signature"] = "v1,"
    .. openssl.base64(openssl.hmac(RAW, headers["svix-id"] .. "." .. headers["svix-timestamp"] .. "." .. body))
  return { body = body, headers = headers }
end

describe("the webhook receiver", function()
  local server

  lazy_setup(function()
    server = nginx.start {
      workers = 2, listen = "reuseport", secret = SECRET,
      http = [[
        lua_shared_dict ampersand 1m;
        lua_shared_dict notes 1m;
        lua_shared_dict webhooks 32k;
        client_body_buffer_size 8k;
        init_by_lua_block {
          forgotten = { invalidate = function(_, group) return ngx.shared.notes:set("forgotten", group) end }
          local receiver = require "ampersand.receiver"
          local function handle(message, info)
            local notes = ngx.shared.notes
            if message.mode == "slow" then ngx.sleep(0.2) end
            local count = notes:incr("handled", 1, 0)
            notes:set("last", info.id .. " " .. tostring(message.groupRef) .. " " .. ngx.get_phase())
            if message.mode == "raise" then error "broken" end
            if message.mode == "refuse" then return nil, "not now" end
          end
          receive = receiver.new { secret = "{{secret}}", handle = handle, gate = forgotten, max_bytes = 100000 }
          receive_later = receiver.new { secret = { "{{secret}}" }, handle = handle, timer = true }
          receive_small = receiver.new {
            secret = "{{secret}}", handle = handle, store = require("ampersand.cache").shared "webhooks" }
          local function away() return nil, "the store is away" end
          local absent = { get = away, set = away, delete = away, lock = away, unlock = away }
          receive_blindly = receiver.new { secret = "{{secret}}", handle = handle, store = absent }
          local unread = setmetatable({ lock = function() return "token" end }, { __index = absent })
          receive_unread = receiver.new { secret = "{{secret}}", handle = handle, store = unread }
          receive_badly = receiver.new { secret = function() return "" end, handle = handle }
        }
      ]],
      server = [[
        location = /hook { content_by_lua_block { receive() } }
        location = /later { content_by_lua_block { receive_later() } }
        location = /small { content_by_lua_block { receive_small() } }
        location = /fill {
          content_by_lua_block {
            -- of the sizes of a message's mark and of its lock: shared memory keeps a page for each size
            for i = 1, 1000 do
              ngx.shared.webhooks:set("webhook:older" .. i, i % 2 == 0 and "taken" or ("x"):rep(70), 86400)
            end
          }
        }
        location = /blindly { content_by_lua_block { receive_blindly() } }
        location = /unread { content_by_lua_block { receive_unread() } }
        location = /badly { content_by_lua_block { receive_badly() } }
        location = /note { content_by_lua_block { ngx.print(tostring(ngx.shared.notes:get(ngx.var.args))) } }
        location = /clear { content_by_lua_block { ngx.shared.notes:flush_all() } }
        location = /maps {
          content_by_lua_block {
            local file = io.open "/proc/self/maps"
            ngx.print(file and file:read "*a":match "libcurl[^\n]*" or "none")
          }
        }
      ]],
    }
  end)
  lazy_teardown(function()
    if server then server:stop() end
  end)
  before_each(function() server:ask "/clear" end)

  local function note(name)
    return (select(2, server:ask("/note?" .. name)))
  end

  it("hands a message over once, however often it comes", function()
    local message = signed '{"groupRef":"acme","resultInfo":{}}'
    for _ = 1, 3 do assert.equal(204, (server:ask("/hook", message))) end
    assert.equal("1", note "handled")
    assert.equal(message.headers["svix-id"] .. " acme content", note "last")
    -- delivered again later, with a new signature
    assert.equal(204, (server:ask("/hook", signed(message.body, { ["svix-id"] = message.headers["svix-id"] }))))
    assert.equal("1", note "handled")
  end)

  it("hands nothing over while its store is away", function()
    for _, path in ipairs { "/blindly", "/unread" } do
      local status, body = server:ask(path, signed '{"groupRef":"acme"}')
      assert.equal(503, status, body)
      assert.truthy(body:find("cannot be compared with earlier ones", 1, true), body)
    end
    assert.equal("nil", note "handled")
  end)

  it("refuses what is forged, changed, old or no JSON", function()
    local message = signed '{"groupRef":"acme"}'
    message.body = '{"groupRef":"evil"}'
    local status, body, headers = server:ask("/hook", message)
    assert.equal(400, status)
    assert.equal("application/problem+json", headers["content-type"])
    assert.truthy(body:find "no signature of the webhook fits")
    assert.equal(400, (server:ask("/hook", signed("{}", { ["svix-timestamp"] = tostring(os.time() - 400) }))))
    assert.equal(400, (server:ask("/hook", signed "not json")))
    assert.equal(400, (server:ask("/hook", { body = "{}" })))
    assert.equal("nil", note "handled")
  end)

  it("keeps to POST and to its size, and says when it is not set up", function()
    local status, _, headers = server:ask "/hook"
    assert.same({ 405, "POST" }, { status, headers.allow })
    local large = signed('{"groupRef":"' .. ("x"):rep(90000) .. '"}')
    assert.equal(204, (server:ask("/hook", large)))
    assert.equal(413, (server:ask("/hook", signed('{"groupRef":"' .. ("x"):rep(100000) .. '"}'))))
    local body
    status, body = server:ask("/badly", signed "{}")
    assert.equal(500, status)
    assert.truthy(body:find "not set up")
    assert.falsy(server:log():find(SECRET, 1, true))
  end)

  it("asks for the message again when the handler fails", function()
    for _, mode in ipairs { "raise", "refuse" } do
      server:ask "/clear"
      local message = signed(('{"mode":"%s"}'):format(mode))
      assert.equal(500, (server:ask("/hook", message)))
      assert.equal(500, (server:ask("/hook", message)))
      assert.equal("2", note "handled")
    end
  end)

  it("takes a message in one place at a time", function()
    local message, sent = signed '{"mode":"slow"}', {}
    for i = 1, 6 do sent[i] = server:send("/hook", message) end
    local counts = {}
    for i = 1, 6 do
      local status = server:finish(sent[i])
      counts[status] = (counts[status] or 0) + 1
    end
    assert.same({ [204] = 1, [409] = 5 }, counts)
    assert.equal(204, (server:ask("/hook", message)))
    assert.equal("1", note "handled")
  end)

  it("can answer first and handle later", function()
    local message = signed '{"mode":"slow"}'
    assert.equal(204, (server:ask("/later", message)))
    assert.is_true(nginx.await(2, function() return note "handled" == "1" end))
    assert.truthy(note "last":find "timer$")
  end)

  it("makes the gate forget the groups whose health an event may have changed", function()
    server:ask("/hook", signed '{"action":"read","groupRef":"acme"}')
    assert.equal("nil", note "forgotten")
    server:ask("/hook", signed '{"action":"connection.error","groupRef":"acme"}')
    assert.equal("acme", note "forgotten")
    server:ask("/hook", signed '{"eventType":"installation.updated","data":{"groupRef":"other"}}')
    assert.equal("other", note "forgotten")
  end)

  it("warns once when messages it remembers had to go", function()
    assert.equal(204, (server:ask("/small", signed "{}")))
    assert.falsy(server:log():find("dropped", 1, true))
    server:ask "/fill"
    for _ = 1, 4 do assert.equal(204, (server:ask("/small", signed "{}"))) end
    local _, count = server:log():gsub("messages may be taken twice", "")
    assert.equal(1, count, server:log())
  end)

  it("brings no libcurl into nginx", function()
    assert.equal("none", (select(2, server:ask "/maps")))
  end)
end)
