-- The list of framing rules against nginx's transport, over TCP and over TLS.

local nginx = require "support.openresty"

if nginx.unable(pending) then return end

local fault = require "support.fault"
local rows = require "transport.framing"

-- Does what row `i` asks on the port given: its outcome, and that of the request after it.
local ASK = [[
  local base, place, timeout, method, follow = ngx.var.arg_base, ngx.var.arg_i, tonumber(ngx.var.arg_timeout),
    ngx.var.arg_method, ngx.var.arg_follow
  -- the number is part of the pool's name: each row has connections of its own
  local transport = require("ampersand.transport.nginx").new { insecure_skip_verify = true, max_connections = 100 + place }
  local function outcome(path)
    local res, _, kind = transport:request { method = method, url = base .. path, headers = {}, timeout = timeout }
    if not res then return kind end
    local parts = {}
    while true do
      local chunk, _, broken = res.read()
      if not chunk then
        res.close(not broken)
        return broken or res.status .. " " .. table.concat(parts)
      end
      parts[#parts + 1] = chunk
    end
  end
  ngx.print(outcome("framing/" .. place))
  if follow then ngx.print("\1", outcome "framing/next") end
]]

describe("framing, by nginx", function()
  local upstream, server

  setup(function()
    upstream = fault.start()
    server = nginx.start { server = ("location = /ask { content_by_lua_block { %s } }"):format(ASK) }
  end)
  teardown(function()
    server:stop()
    upstream:stop()
  end)

  for i, row in ipairs(rows) do
    it(row[1], function()
      for _, port in ipairs { "plain", "good" } do
        local expected = port == "good" and row.tls or row[4]
        if row.nginx then expected = row.nginx[1] end
        if row.next then expected = expected .. "\1" .. row.next end
        local _, body = server:ask(("/ask?base=%s&i=%d&timeout=%g&method=%s%s"):format(upstream:url("", port), i,
          row[4] == "timeout" and 0.3 or 10, row.method or "GET", row.next and "&follow=1" or ""))
        assert.equal(expected, body, port)
      end
    end)
  end
end)
