local fault = require "support.fault"
local nginx = require "support.openresty"
local socket = require "socket"

if nginx.unable(pending) then return end

-- What every nginx here has: `fetch(url, more)` makes one request on a transport and reads the whole answer;
-- `say(...)` answers with values joined by "|".
local INIT = [[
  init_by_lua_block {
    transport = require("ampersand.transport.nginx").new { connect_timeout = 5, read_timeout = 5 }
    function fetch(url, more)
      local req = { method = "GET", url = url, headers = {}, timeout = 10, resend = true }
      for name, value in pairs(more or {}) do req[name] = value end
      local res, message, kind, sent = (req.transport or transport):request(req)
      if not res then return nil, kind, message, sent end
      local parts = {}
      while true do
        local piece, why, what = res.read()
        if not piece then
          res.close(what == nil)
          if what then return nil, what, why, true end
          return res.status, table.concat(parts), res
        end
        parts[#parts + 1] = piece
      end
    end
    function say(...)
      local words = { ... }
      for i = 1, select("#", ...) do words[i] = tostring(words[i]) end
      ngx.say(table.concat(words, "|"))
    end
    collectgarbage()
    %s
  }
  lua_shared_dict notes 1m;
  client_body_buffer_size 1m;
]]

-- Answers bytes as they are, in the pieces between "~"; "~0.2~" waits.
local RAW = [[
  location = /raw {
    content_by_lua_block {
      local answer = ngx.unescape_uri(ngx.var.args)
      local raw = assert(ngx.req.socket(true))
      for piece in answer:gmatch "[^~]+" do
        local pause = tonumber(piece:match "^%d%.%d+$")
        if pause then ngx.sleep(pause) else raw:send(piece) end
      end
    }
  }
]]

local function escape(text)
  return (text:gsub("[^%w~.]", function(c) return ("%%%02X"):format(c:byte()) end))
end

describe("the nginx transport", function()
  local server

  lazy_setup(function()
    server = nginx.start {
      http = INIT:format "",
      server = [[
        location = /fetch {
          content_by_lua_block {
            local url = ngx.unescape_uri(ngx.var.args)
            say(fetch("http://127.0.0.1:{{upstream}}" .. url))
          }
        }
        location = /call {
          content_by_lua_block {
            local function send(req)
              req.url = ngx.unescape_uri(ngx.var.args)
              return transport:request(req)
            end
            local client = require("ampersand").new { api_key = "k", project = "p", integration = "i", transport = send,
              retry = false }
            local value, err = client.installations:list()
            say(value, err and err.kind, err and err.status)
          }
        }
        location = /verbs {
          content_by_lua_block {
            for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD" } do
              local body = method:find "^P" and method .. " body" or nil
              local headers = { ["X-Api-Key"] = "k" }
              say(fetch("http://127.0.0.1:{{upstream}}/echo?a=b", { method = method, body = body, headers = headers }))
            end
          }
        }
        location = /pool {
          content_by_lua_block {
            for _ = 1, 5 do say(fetch "http://127.0.0.1:{{upstream}}/connection") end
          }
        }
        location = /stale {
          content_by_lua_block {
            local url, notes = "http://127.0.0.1:{{upstream}}/once?" .. ngx.var.args, ngx.shared.notes
            local threads = {}
            for i = 1, 3 do threads[i] = ngx.thread.spawn(fetch, url .. "&wait=0.05") end
            for i = 1, 3 do ngx.thread.wait(threads[i]) end
            notes:set("arrived", 0)
            local method = ngx.var.arg_method
            local status, kind, message, sent = fetch(url, { method = method, resend = method == "GET" })
            say(status, kind, message, sent, notes:get "arrived")
          }
        }
        location = /faults {
          content_by_lua_block {
            say(fetch "http://127.0.0.1:{{spare}}/")
            say(fetch "http://some.host.invalid/")
            say(fetch "gopher://127.0.0.1/")
            local other = require("ampersand.transport.nginx").new { ca_file = "/ca.pem" }
            say(fetch("http://127.0.0.1:{{upstream}}/echo", { transport = other }))
            local closed = require("ampersand.transport.nginx").new()
            closed:close()
            say(fetch("http://127.0.0.1:{{upstream}}/echo", { transport = closed }))
          }
        }
        location = /callback {
          content_by_lua_block {
            ("x"):gsub("x", function() say(fetch "http://127.0.0.1:{{upstream}}/echo") end)
          }
        }
        location = /read_timeout {
          content_by_lua_block { say(fetch("http://127.0.0.1:{{upstream}}/slow", { read_timeout = 0.15 })) }
        }
        location = /deadline {
          content_by_lua_block {
            say(fetch("http://127.0.0.1:{{upstream}}/drops", { timeout = 0.3, read_timeout = 2 }))
          }
        }
        location = /no_deadline {
          content_by_lua_block {
            local res = transport:request {
              method = "GET", url = "http://127.0.0.1:{{upstream}}/drops", timeout = 0.5, read_timeout = 5,
            }
            res.deadline(nil)
            local n = 0
            repeat
              local piece, message, kind = res.read()
              n = n + #(piece or "")
            until not piece
            say(n, message, kind)
            res.close(true)
            res.close(true)
            say(res.read())
          }
        }
        location = /connect_timeout {
          content_by_lua_block { say(fetch("http://127.0.0.1:" .. ngx.var.args .. "/", { connect_timeout = 0.2 })) }
        }
        location = /limited {
          content_by_lua_block {
            local two = require("ampersand.transport.nginx").new { max_connections = 2 }
            local threads = {}
            for i = 1, 8 do
              threads[i] = ngx.thread.spawn(fetch, "http://127.0.0.1:{{upstream}}/crowd", { transport = two })
            end
            for i = 1, 8 do
              local _, status = ngx.thread.wait(threads[i])
              say(status)
            end
            say(ngx.shared.notes:get "most")
          }
        }
        location = /turns {
          content_by_lua_block {
            local now, ticks, over = require("ampersand.core").now, 0, false
            local ticker = ngx.thread.spawn(function()
              while not over do
                ngx.sleep(0.001)
                ticks = ticks + 1
              end
            end)
            local res = transport:request { method = "GET", url = "http://127.0.0.1:{{upstream}}/large", timeout = 10 }
            local worked = 0
            repeat
              local piece = res.read()
              local stop = now() + 0.0005 -- as decoding would
              worked = worked + 0.0005
              repeat until now() >= stop
            until not piece
            over = true
            say(ticks >= worked / 0.004, ticks, worked)
          }
        }
        location = /small {
          content_by_lua_block {
            local res = transport:request { method = "GET", url = "http://127.0.0.1:{{upstream}}/large", timeout = 10 }
            local total, most = 0, 0
            while true do
              local piece = res.read(1000)
              if not piece then break end
              total, most = total + #piece, math.max(most, #piece)
            end
            res.close(true)
            say(total, most)
          }
        }
        location = /user {
          content_by_lua_block {
            local ampersand = require "ampersand"
            local client = ampersand.new {
              base_url = "http://127.0.0.1:{{upstream}}/v1", api_key = "secret-key", project = "p", integration = "i",
            }
            local now, seen, at = require("ampersand.core").now, {}, {}
            local stream = client.installations:stream()
            while true do
              local installation, err = stream:next()
              if not installation then
                seen[#seen + 1] = tostring(err)
                break
              end
              seen[#seen + 1], at[#at + 1] = installation.id, now()
            end
            say(unpack(seen))
            say(at[2] - at[1] > 0.3)
            local list, err = client.installations:list()
            say(list and #list or tostring(err))
            local one, other = client.installations:get "x", client.installations:get "y"
            say(one.connection == other.connection)
          }
        }
      ]],
      origin = RAW .. [[
        location = /echo {
          content_by_lua_block {
            ngx.req.read_body()
            say(ngx.req.get_method(), ngx.var.http_x_api_key, ngx.var.http_content_length, ngx.var.http_host,
              ngx.req.get_body_data(), ngx.var.args)
          }
        }
        location = /connection {
          content_by_lua_block { ngx.print(ngx.var.connection) }
        }
        location = /once {
          content_by_lua_block {
            ngx.shared.notes:incr("arrived", 1, 0)
            ngx.sleep(tonumber(ngx.var.arg_wait) or 0)
            if ngx.var.connection_requests ~= "1" then return ngx.exit(444) end
            ngx.print "first"
          }
        }
        location = /slow { content_by_lua_block { ngx.sleep(5) ngx.say "late" } }
        location = /drops {
          content_by_lua_block {
            for _ = 1, 20 do
              ngx.print "x"
              ngx.flush(true)
              ngx.sleep(0.05)
            end
          }
        }
        location = /crowd {
          content_by_lua_block {
            local notes = ngx.shared.notes
            local inside = notes:incr("inside", 1, 0)
            if inside > (notes:get "most" or 0) then notes:set("most", inside) end
            ngx.sleep(0.02)
            notes:incr("inside", -1)
          }
        }
        location = /large { content_by_lua_block { ngx.print(("x"):rep(2 ^ 20)) } }
        location /v1/projects/p/integrations/i/installations/ {
          content_by_lua_block {
            ngx.header["Content-Type"] = "application/json"
            ngx.print('{"connection":', ngx.var.connection, "}")
          }
        }
        location = /v1/projects/p/integrations/i/installations {
          content_by_lua_block {
            ngx.header["Content-Type"] = "application/json"
            ngx.print '[{"id":"a"},'
            ngx.flush(true)
            ngx.sleep(0.8)
            ngx.print '{"id":"b"}]'
          }
        }
      ]],
    }
  end)

  lazy_teardown(function()
    if server then server:stop() end
  end)

  local function lines_of(path)
    local status, body = server:ask(path)
    assert.equal(200, status, server:log())
    local lines = {}
    for line in body:gmatch "[^\n]+" do lines[#lines + 1] = line end
    return lines
  end

  local function raw(answer)
    return lines_of("/fetch?" .. escape("/raw?" .. escape(answer)))[1]
  end

  it("sends every method, with headers and bodies", function()
    local lines = lines_of "/verbs"
    local host = "127.0.0.1:" .. server.upstream
    assert.equal("200|GET|k|nil|" .. host .. "|nil|a=b", lines[1])
    assert.equal("200|POST|k|9|" .. host .. "|POST body|a=b", lines[3])
    assert.equal("200|PUT|k|8|" .. host .. "|PUT body|a=b", lines[5])
    assert.equal("200|PATCH|k|10|" .. host .. "|PATCH body|a=b", lines[7])
    assert.equal("200|DELETE|k|nil|" .. host .. "|nil|a=b", lines[9])
    assert.truthy(lines[11]:find "^200||table", lines[11])
  end)

  it("reads fixed and chunked bodies, also in drops", function()
    assert.equal("200|hello", raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe~0.02~llo"):match "^200|hello")
    local chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n"
      .. "abc~0.02~\r\n2\r~0.02~\nde\r\n0\r\n~0.02~\r\n"
    assert.equal("200|abcde", raw(chunked):match "^200|abcde")
    assert.equal("200|all", raw("HTTP/1.1 200 OK\r\n\r\na~0.02~ll"):match "^200|all")
  end)

  it("takes no broken answer for a whole one", function()
    assert.truthy(raw("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"):find "^nil|closed|.*45 bytes")
    assert.truthy(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"):find "^nil|closed|")
    assert.truthy(raw("HTTP/1.1 200 OK\r\nContent-"):find "^nil|closed|")
    assert.truthy(raw("nonsense\r\n\r\n"):find "^nil|protocol|")
  end)

  it("refuses a compressed body in words, and keeps an error's status", function()
    local function coded(status)
      return "HTTP/1.1 " .. status .. " X\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nhello"
    end
    assert.equal("nil|protocol|the body is compressed, which was not requested: br|true", raw(coded "200"))
    local url = "http://127.0.0.1:" .. server.upstream .. "/raw?" .. escape(coded "503")
    assert.equal("nil|status|503", lines_of("/call?" .. escape(url))[1])
  end)

  it("uses a connection again", function()
    local lines = lines_of "/pool"
    for i = 2, 5 do assert.equal(lines[1]:match "^200|%d+|", lines[i]:match "^200|%d+|") end
  end)

  it("opens a new connection for a stale one, when the request may be sent again", function()
    assert.truthy(lines_of("/stale?method=GET")[1]:find "^200|first", "GET")
    -- the stale one, and the new one
    assert.truthy(lines_of("/stale?method=GET&again")[1]:find "|2$")
    local refused = "^nil|closed|the connection was closed before an answer came|true|1$"
    assert.truthy(lines_of("/stale?method=POST")[1]:find(refused))
  end)

  it("says what is wrong", function()
    local lines = lines_of "/faults"
    assert.truthy(lines[1]:find "^nil|connect|cannot connect to 127.0.0.1:%d+: connection refused|false")
    assert.truthy(lines[2]:find "^nil|resolve|.*`resolver`.*|false")
    assert.truthy(lines[3]:find "^nil|config|.*|false")
    assert.truthy(lines[4]:find "^nil|config|.*lua_ssl_trusted_certificate.*|false")
    assert.equal("nil|cancelled|the transport is closed|false", lines[5])
  end)

  it("throws nothing where nginx cannot yield", function()
    assert.truthy(lines_of("/callback")[1]:find "^nil|phase|nginx cannot wait here")
  end)

  it("keeps to its times", function()
    local started = socket.gettime()
    assert.equal("nil|timeout|no byte came for 0.15 s, before the response came|true", lines_of("/read_timeout")[1])
    assert.is_true(socket.gettime() - started < 4)
    -- the body would take a second
    assert.truthy(lines_of("/deadline")[1]:find "^nil|timeout|timed out after 0.3 s, .*|true")
    local lines = lines_of "/no_deadline"
    assert.equal("20|nil|nil", lines[1])
    assert.equal("nil|the response is closed|cancelled", lines[2])
  end)

  it("gives up on a server that does not accept", function()
    -- a queue of one that is full
    local listener = assert(socket.bind("127.0.0.1", 0, 0))
    local _, port = listener:getsockname()
    local held = {}
    for i = 1, 8 do
      held[i] = socket.tcp()
      held[i]:settimeout(0)
      held[i]:connect("127.0.0.1", port)
    end
    local line = lines_of("/connect_timeout?" .. math.floor(port))[1]
    for _, each in ipairs(held) do each:close() end
    listener:close()
    assert.truthy(line:find "^nil|timeout|no byte came for 0.2 s, before the connection stood|false", line)
  end)

  it("lets requests wait when max_connections is reached", function()
    local lines = lines_of "/limited"
    for i = 1, 8 do assert.equal("200", lines[i]) end
    assert.equal("2", lines[9])
  end)

  it("gives the event loop its turn between chunks", function()
    assert.truthy(lines_of("/turns")[1]:find "^true", lines_of("/turns")[1])
  end)

  it("gives small pieces to those who ask for them", function()
    assert.equal("1048576|1000", lines_of("/small")[1])
  end)

  it("serves a client, element by element", function()
    local lines = lines_of "/user"
    assert.equal("a|b|nil", lines[1])
    assert.equal("true", lines[2], "the first element did not wait for the second")
    assert.equal("2", lines[3])
    assert.equal("true", lines[4], "a connection is used again")
  end)
end)

describe("TLS inside nginx", function()
  local server

  lazy_setup(function()
    local prefix = os.tmpname()
    os.remove(prefix)
    os.execute("mkdir " .. prefix)
    nginx.certificate(prefix)
    os.execute(("mkdir %s/other"):format(prefix))
    nginx.certificate(prefix .. "/other")
    -- encrypted keys: of the two PEM forms, and an RSA one with a certificate of the same authority
    os.execute(([[cd '%s' && {
      openssl pkcs8 -topk8 -in key.pem -out key.pkcs8 -passout 'pass:open sesame'
      openssl ec -in key.pem -out key.pem1 -aes256 -passout 'pass:open sesame'
      openssl req -newkey rsa:2048 -nodes -subj /CN=rsa -keyout rsa.key -out rsa.csr
      openssl x509 -req -in rsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out rsa.pem
      openssl pkcs8 -topk8 -in rsa.key -out rsa.pkcs8 -passout 'pass:open sesame'
    } >/dev/null 2>&1]]):format(prefix))
    server = nginx.start {
      prefix = prefix,
      http = INIT:format "" .. [[
        lua_ssl_trusted_certificate {{prefix}}/ca.pem;
        ssl_certificate {{prefix}}/cert.pem;
        ssl_certificate_key {{prefix}}/key.pem;
        server {
          listen 127.0.0.1:{{spare}} ssl;
          ssl_client_certificate {{prefix}}/ca.pem;
          ssl_verify_client optional;
          location / { return 200 "$connection $connection_requests $ssl_session_reused $ssl_client_verify"; }
          location = /close { keepalive_timeout 0; return 200 "$ssl_session_reused"; }
        }
        server {
          listen {{loopback2}}:{{spare}} ssl;
          location / { return 200 wrong; }
        }
      ]],
      loopback2 = "127.0.0.2",
      server = [[
        location = /verified {
          content_by_lua_block {
            for _ = 1, 2 do say(fetch "https://127.0.0.1:{{spare}}/") end
          }
        }
        location = /resumed {
          lua_ssl_protocols TLSv1.2; # with 1.3, which is the default of newer modules, a session comes after its handshake
          content_by_lua_block {
            for _ = 1, 3 do say(fetch "https://127.0.0.1:{{spare}}/close") end
          }
        }
        location = /name {
          content_by_lua_block { say(fetch "https://127.0.0.2:{{spare}}/") }
        }
        location = /untrusted {
          lua_ssl_trusted_certificate {{prefix}}/other/ca.pem;
          content_by_lua_block {
            local careless = require("ampersand.transport.nginx").new { insecure_skip_verify = true }
            local careful = require("ampersand.transport.nginx").new()
            say(fetch("https://127.0.0.1:{{spare}}/", { transport = careful }))
            say(fetch("https://127.0.0.1:{{spare}}/", { transport = careless }))
            say(fetch("https://127.0.0.1:{{spare}}/", { transport = careful }))
          }
        }
        location = /known {
          content_by_lua_block {
            local files = { client_cert = "{{prefix}}/cert.pem", client_key = "{{prefix}}/key.pem" }
            local named = require("ampersand.transport.nginx").new(files)
            say(fetch("https://127.0.0.1:{{spare}}/", { transport = named }))
            files.client_cert = "{{prefix}}/nothing.pem"
            say(fetch("https://127.0.0.1:{{spare}}/", { transport = require("ampersand.transport.nginx").new(files) }))
          }
        }
        location = /encrypted {
          content_by_lua_block {
            local keys = { "key.pkcs8", "key.pem1", "rsa.pkcs8" }
            for i, name in ipairs(keys) do
              local cert = "{{prefix}}/" .. (i == 3 and "rsa.pem" or "cert.pem")
              local passwords = { "open sesame", function() return "open sesame" end, "wrong", function() end, false }
              for j = 1, 5 do
                local files = { client_cert = cert, client_key = "{{prefix}}/" .. name,
                  client_key_password = passwords[j] or nil }
                say(fetch("https://127.0.0.1:{{spare}}/", {
                  transport = require("ampersand.transport.nginx").new(files) }))
              end
            end
          }
        }
        location = /plain {
          content_by_lua_block { say(fetch "https://127.0.0.1:{{port}}/") }
        }
      ]],
    }
  end)

  lazy_teardown(function()
    if server then server:stop() end
  end)

  local function lines_of(path)
    local status, body = server:ask(path)
    assert.equal(200, status, server:log())
    local lines = {}
    for line in body:gmatch "[^\n]+" do lines[#lines + 1] = line end
    return lines
  end

  it("checks certificates, keeps connections and resumes sessions", function()
    local lines = lines_of "/verified"
    assert.truthy(lines[1]:find "^200|%d+ 1 %. NONE|", lines[1])
    assert.truthy(lines[2]:find "^200|%d+ 2 %. NONE|", lines[2])
    lines = lines_of "/resumed"
    assert.truthy(lines[3]:find "^200|r|", lines[3])
  end)

  it("refuses what is not certified, and says which directive decides", function()
    local words = lines_of("/name")[1]
    assert.truthy(words:find "^nil|tls|.*certificate host mismatch; nginx compares .* never with IP addresses.*|false$", words)
    assert.falsy(words:find("lua_ssl_trusted_certificate", 1, true))
    local lines = lines_of "/untrusted"
    assert.truthy(lines[1]:find "^nil|tls|.*certificate.*lua_ssl_trusted_certificate.*|false$", lines[1])
    assert.truthy(lines[2]:find "^200|")
    assert.truthy(lines[3]:find "^nil|tls|", "the connection made without checks is not shared")
    assert.truthy(lines_of("/plain")[1]:find "^nil|tls|")
  end)

  it("shows a client certificate", function()
    local lines = lines_of "/known"
    assert.truthy(lines[1]:find "^200|%d+ 1 . SUCCESS|", lines[1])
    assert.truthy(lines[2]:find "^nil|tls|client_cert: .*nothing.pem", lines[2])
  end)

  it("opens an encrypted key with its password, and never asks for one", function()
    local lines = lines_of "/encrypted"
    assert.equal(15, #lines)
    for i = 0, 2 do
      for j = 1, 2 do assert.truthy(lines[5 * i + j]:find "^200|.*SUCCESS|", lines[5 * i + j]) end
      assert.equal("nil|tls|client_cert: client_key_password does not open the key|false", lines[5 * i + 3])
      assert.equal("nil|tls|client_cert: client_key_password returned no string|false", lines[5 * i + 4])
      assert.equal("nil|tls|client_cert: the key is encrypted, and there is no client_key_password|false", lines[5 * i + 5])
    end
  end)
end)

describe("nginx out of worker_connections", function()
  local server, other

  lazy_setup(function()
    other = fault.start()
    server = nginx.start {
      connections = 24, log_level = "crit", other = other:url "v1",
      http = [[
        init_by_lua_block {
          transport = require("ampersand.transport.nginx").new()
          function open(path)
            return transport:request { method = "GET", url = "{{other}}/" .. (path or "stall_body"), timeout = 5 }
          end
          function open_all()
            local streams = {}
            while true do
              local stream, message, kind, sent = open()
              if not stream then return streams, message, kind, sent end
              streams[#streams + 1] = stream
            end
          end
        }
      ]],
      server = [[
        location = /held {
          content_by_lua_block {
            local streams, message, kind, sent = open_all()
            ngx.say(#streams > 10, " ", kind, " ", sent, " ", message)
            streams[1].close()
            ngx.say(assert(open "items").read())
            for _, stream in ipairs(streams) do stream.close() end
          }
        }
        location = /abandoned {
          content_by_lua_block {
            for _ = 1, 50 do assert(open()) end
            ngx.say "50"
          }
        }
      ]],
    }
  end)
  lazy_teardown(function()
    if server then server:stop() end
    if other then other:stop() end
  end)

  it("says so, with what helps, and goes on once a stream is closed", function()
    local body = select(2, server:ask "/held")
    assert.truthy(body:find "^true limit false .*worker_connections.*: close streams that are not read\n%[.*%]\n$", body)
  end)

  it("collects streams that were abandoned", function()
    assert.equal("50\n", select(2, server:ask "/abandoned"))
  end)
end)

describe("streams that are left open inside nginx", function()
  local server

  lazy_setup(function()
    server = nginx.start {
      http = [[
        init_by_lua_block {
          function new(most)
            return require("ampersand").new { api_key = "k", project = "p", integration = "i", timeout = 2,
              base_url = "http://127.0.0.1:{{upstream}}/v1", max_connections = most }
          end
          function open(client)
            local stream, err = client.installations:stream()
            if stream then return stream:next() and stream end
            return nil, err
          end
        }
      ]],
      server = [[
        location = /own {
          content_by_lua_block {
            local client = new(1)
            local stream = open(client)
            local began = ngx.now()
            local list, err = client.installations:list()
            ngx.update_time()
            ngx.say(tostring(list), " ", tostring(err), " ", ngx.now() - began < 1)
            stream:close()
            ngx.say(#assert(client.installations:list()))
          }
        }
        location = /others {
          content_by_lua_block {
            local client = new(1)
            local stream = open(client)
            local other = ngx.thread.spawn(function() return select(2, client.installations:list()) end)
            local patient = ngx.thread.spawn(function() return client.installations:list() end)
            local _, err = ngx.thread.wait(other)
            ngx.say(tostring(err))
            ngx.thread.wait(patient)
            stream:close()
          }
        }
        location = /abandoned {
          content_by_lua_block {
            local client = new(2)
            for _ = 1, 20 do assert(open(client)) end
            ngx.say "20"
          }
        }
      ]],
      origin = [[
        location / {
          content_by_lua_block {
            ngx.header.content_type = "application/json"
            ngx.print('[{"id":"a"},', (" "):rep(200000), '{"id":"b"}]')
          }
        }
      ]],
    }
  end)
  lazy_teardown(function()
    if server then server:stop() end
  end)

  it("make a call fail at once that only they could let pass", function()
    local body = select(2, server:ask "/own")
    assert.truthy(body:find "^nil GET .*only this coroutine can free a place.*streams of this client: 1;.*%(limit%) true\n2\n$", body)
  end)

  it("are named when others wait for them in vain", function()
    assert.truthy(select(2, server:ask "/others"):find "timed out .*open streams of this client: [12];.*stream:close")
  end)

  it("lose their places when they are forgotten", function()
    assert.equal("20\n", select(2, server:ask "/abandoned"))
  end)
end)

describe("nginx's event loop", function()
  it("gets its turn also when a wait is over at once", function()
    local server = nginx.start {
      http = [[
        init_by_lua_block {
          client = require("ampersand").new { api_key = "k", project = "p", base_url = "http://127.0.0.1:{{upstream}}/v1",
            retry = { base = 0, cap = 0 } }
        }
      ]],
      server = [[
        location = / { content_by_lua_block { ngx.say(tostring(select(2, client:request("GET", "/x")))) } }
        location = /sleep {
          content_by_lua_block {
            local transport = require("ampersand.transport.nginx").new()
            for _, seconds in ipairs { 0, -1, 1e-9 } do transport:sleep(seconds) end
            ngx.say "slept"
          }
        }
      ]],
      origin = "location / { return 503; }",
    }
    finally(function() server:stop() end) -- luacheck: ignore
    assert.equal("slept\n", select(2, server:ask "/sleep"))
    assert.truthy(select(2, server:ask "/"):find "3 attempts")
    assert.equal("", server:log())
  end)
end)

describe("nginx's phases", function()
  local server
  local PROBE = [[
    notes = ngx.shared.notes
    function probe(phase, url)
      local status, kind, message, sent = fetch(url)
      notes:set(phase, status and tostring(status) or kind .. ": " .. message .. ": " .. tostring(sent))
    end
    probe("init", "http://127.0.0.1:{{upstream}}/ok")
  ]]
  local CALL = [[probe(ngx.get_phase(), "http://127.0.0.1:{{upstream}}/ok")]]

  lazy_setup(function()
    local prefix = os.tmpname()
    os.remove(prefix)
    os.execute("mkdir " .. prefix)
    nginx.certificate(prefix)
    server = nginx.start {
      prefix = prefix, call = CALL,
      http = INIT:format(PROBE) .. [[
        exit_worker_by_lua_block {
          {{call}}
          ngx.log(ngx.WARN, "exit_worker: ", notes:get "exit_worker")
        }
        init_worker_by_lua_block {
          {{call}}
          ngx.timer.at(0, function() {{call}} end)
        }
        upstream balanced {
          server 0.0.0.1;
          balancer_by_lua_block {
            {{call}}
            assert(require("ngx.balancer").set_current_peer("127.0.0.1", {{upstream}}))
          }
        }
        ssl_certificate {{prefix}}/cert.pem;
        ssl_certificate_key {{prefix}}/key.pem;
        server {
          listen 127.0.0.1:{{spare}} ssl;
          ssl_certificate_by_lua_block { {{call}} }
          location / { return 200 ok; }
        }
      ]],
      server = [[
        server_rewrite_by_lua_block { {{call}} }
        location = /all {
          set_by_lua_block $nothing { {{call}} return "" }
          rewrite_by_lua_block { {{call}} }
          access_by_lua_block { {{call}} }
          content_by_lua_block { {{call}} ngx.say "done" }
          header_filter_by_lua_block { {{call}} }
          body_filter_by_lua_block { {{call}} }
          log_by_lua_block { {{call}} }
        }
        location = /balancer { proxy_pass http://balanced/ok; }
        location = /tls {
          content_by_lua_block {
            local any = require("ampersand.transport.nginx").new { insecure_skip_verify = true }
            say(fetch("https://127.0.0.1:{{spare}}/", { transport = any }))
          }
        }
        location = /notes {
          content_by_lua_block {
            for _, phase in ipairs(notes:get_keys()) do say(phase, notes:get(phase)) end
          }
        }
      ]],
      origin = "location = /ok { return 200 ok; }",
    }
  end)

  lazy_teardown(function()
    if server then server:stop() end
  end)

  it("either do the request or refuse it with words", function()
    for _, path in ipairs { "/all", "/balancer", "/tls" } do assert.equal(200, (server:ask(path)), path) end
    local found = {}
    for phase, words in select(2, server:ask "/notes"):gmatch "([%w_]+)|([^\n]+)" do found[phase] = words end
    for _, phase in ipairs { "server_rewrite", "rewrite", "access", "content", "timer", "ssl_cert" } do
      assert.equal("200", found[phase], phase)
    end
    for _, phase in ipairs { "init", "init_worker", "set", "header_filter", "body_filter", "log", "balancer" } do
      local expected = "phase: no request can be made in nginx's phase " .. phase .. ": "
      assert.equal(expected, (found[phase] or "nothing"):sub(1, #expected))
      assert.truthy(found[phase]:find "ngx.timer.at.*: false$")
    end
    server:reload()
    assert.is_true(nginx.await(5, function()
      return server:log():find "exit_worker: phase: no request can be made .* the worker is ending: false" ~= nil
    end))
  end)
end)

describe("nginx's workers", function()
  local server

  lazy_setup(function()
    server = nginx.start {
      workers = 2, listen = "reuseport",
      http = INIT:format [[
        client = require("ampersand").new {
          base_url = "http://127.0.0.1:{{upstream}}/v1", api_key = "secret-key", project = "p", integration = "i",
        }
      ]],
      server = [[
        location = /list {
          content_by_lua_block {
            local list, err = client.installations:list()
            say(ngx.worker.pid(), list and #list or tostring(err))
          }
        }
      ]],
      origin = [[
        location / {
          content_by_lua_block {
            ngx.sleep(0.4)
            ngx.header["Content-Type"] = "application/json"
            ngx.print '[{"id":"a"},{"id":"b"}]'
          }
        }
      ]],
    }
  end)

  lazy_teardown(function()
    if server then server:stop() end
  end)

  local function start_calls(count)
    local calls = {}
    for i = 1, count do calls[i] = server:send "/list" end
    return calls
  end

  local function finish_calls(calls)
    local pids = {}
    for _, call in ipairs(calls) do
      local status, body = server:finish(call)
      assert.equal(200, status)
      local pid, count = body:match "^(%d+)|(.*)\n$"
      assert.equal("2", count)
      pids[tonumber(pid)] = true
    end
    return pids
  end

  it("share a client made in init_by_lua", function()
    local pids = finish_calls(start_calls(20))
    for _, pid in ipairs(server:workers()) do assert.is_true(pids[pid]) end
  end)

  it("finish their calls when the configuration is loaded anew, and go", function()
    local old = server:workers()
    local calls = start_calls(20)
    socket.sleep(0.1)
    server:reload()
    finish_calls(calls)
    assert.is_true(nginx.await(3, function()
      for _, pid in ipairs(old) do
        if nginx.alive(pid) then return false end
      end
      return true
    end), "the old workers stay")
    finish_calls(start_calls(4))
  end)

  it("finish their calls before a graceful end", function()
    local calls = start_calls(10)
    socket.sleep(0.1)
    os.execute(("kill -QUIT %d"):format(server.pid))
    finish_calls(calls)
    assert.is_true(nginx.await(3, function() return not nginx.alive(server.pid) end))
  end)
end)
