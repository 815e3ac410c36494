-- HTTP/2, gzip and TLS sessions against a real server.

local curl = require "ampersand.transport.curl"
local machine = require "support.machine"
local nginx = require "support.nginx"

if not machine.has "nginx" then pending(machine.absent("nginx", "apt-get install nginx-light")) return end

describe("the engine and nginx", function()
  local server, transport
  local LONG = ('{"id":"installation","text":"%s"},'):format(("word "):rep(100)):rep(1000) -- 0.5 MB

  setup(function() server = nginx.start { gzip = true, files = { ["long.json"] = LONG, ["1000.json"] = LONG } } end)
  teardown(function() server:stop() end)
  after_each(function() transport:close() end)

  local function new(opts)
    opts = opts or {}
    opts.ca_file, opts.http_proxy = server.directory .. "/ca.pem", ""
    transport = curl.new(opts)
  end

  local function get(path, port, more)
    local req = { method = "GET", url = server:url(path, port), timeout = 20, resend = true }
    for name, value in pairs(more or {}) do req[name] = value end
    return assert(transport:request(req))
  end

  local function read(res)
    local chunks = {}
    while true do
      local chunk, message, kind = res.read()
      if not chunk then return table.concat(chunks), kind, message end
      chunks[#chunks + 1] = chunk
    end
  end

  it("speaks HTTP/2 for whole responses and HTTP/1.1 for streams, also with both at once", function()
    new()
    for _ = 1, 3 do
      assert.equal("HTTP/2.0", get("protocol", "h2").headers["x-protocol"])
      assert.equal("HTTP/1.1", get("protocol", "h2", { stream = true }).headers["x-protocol"])
    end
    assert.equal("HTTP/1.1", get("protocol", "tls").headers["x-protocol"])
    assert.equal("HTTP/1.1", get("protocol", "plain").headers["x-protocol"])
  end)

  it("speaks HTTP/1.1 for what may not be sent twice: libcurl repeats what a server refuses over HTTP/2", function()
    new()
    for _, method in ipairs { "POST", "PATCH", "GET" } do
      assert.equal("HTTP/1.1", get("protocol", "h2", { method = method, resend = false }).headers["x-protocol"])
    end
  end)

  it("leaves HTTP/2 alone when told so", function()
    new { http_version = "1.1" }
    assert.equal("HTTP/1.1", get("protocol", "h2").headers["x-protocol"])
  end)

  it("unpacks gzip on every protocol, whole and in pieces", function()
    new()
    for _, port in ipairs { "plain", "tls", "h2" } do
      for _, stream in ipairs { false, true } do
        local res = get("long.json", port, { stream = stream })
        assert.equal("gzip", res.headers["content-encoding"])
        local body, kind, message = read(res)
        assert.is_nil(kind, message)
        assert.is_true(body == LONG)
      end
    end
  end)

  it("answers 50 requests at once over one HTTP/2 connection, while a stream is not read", function()
    new()
    local stream = get("slow", "h2", { stream = true, headers = { ["Accept-Encoding"] = "identity" } })
    local tasks = {}
    for i = 1, 50 do tasks[i] = function() return (read(get("protocol", "h2"))) end end
    local values, errors = transport:parallel(50, tasks)
    assert.is_nil(next(errors))
    for i = 1, 50 do assert.equal("[]", values[i]) end
    assert.is_true(stream.source:held() <= 128 * 1024)
    stream.close()
  end)

  it("takes up TLS sessions again", function()
    new()
    -- Streams side by side need connections of their own; only the first one has to agree on keys. Compressed, its body
    -- would be over at once, and its connection free.
    local first = get("slow", "tls", { stream = true, headers = { ["Accept-Encoding"] = "identity" } })
    local second = get("protocol", "tls", { stream = true })
    assert.equal("r", second.headers["x-reused"])
    first.close()
  end)
end)
