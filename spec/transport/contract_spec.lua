-- Every transport keeps the contract: libcurl's here, nginx's in nginx, HAProxy's in HAProxy, and a bare function.

local contract = require "support.contract"
local core = require "ampersand.core"
local double = require "support.double"
local fault = require "support.fault"
local machine = require "support.machine"
local openresty = require "support.openresty"
local server = require "support.server"
local socket = require "socket"

describe("the transports' contract", function()
  local upstream, silent, places

  lazy_setup(function()
    upstream = fault.start()
    silent = assert(socket.bind("127.0.0.1", 0))
    local closed, holder = server.closed_port()
    places = {
      answer = upstream:url "contract/answer", missing = upstream:url "contract/missing",
      coded = upstream:url "contract/coded",
      closed = ("http://127.0.0.1:%d/"):format(closed), silent = ("http://127.0.0.1:%d/"):format(select(2, silent:getsockname())),
    }
    places.holder = holder
  end)
  lazy_teardown(function()
    upstream:stop()
    silent:close()
    places.holder:close()
  end)

  local function texts()
    return core.encode {
      answer = places.answer, missing = places.missing, coded = places.coded, closed = places.closed, silent = places.silent,
    }
  end

  it("is kept by libcurl's", function()
    local function make() return require("ampersand.transport.curl").new { http_proxy = "" } end
    assert.same({}, contract.check(make, places, { cancelled = true, watch = function() end, unwatch = function() end }))
  end)

  it("is kept by nginx's", function()
    if openresty.unable(pending) then return end
    local nginx = openresty.start { server = ([=[
      location = /check { content_by_lua_block {
        local make = require("ampersand.transport.nginx").new
        local problems = require("support.contract").check(make, require("ampersand.core").decode [==[%s]==], { cancelled = true })
        ngx.print(table.concat(problems, "\n"))
      } }]=]):format(texts()) }
    finally(function() nginx:stop() end) -- luacheck: ignore
    assert.equal("", select(2, nginx:ask "/check"))
  end)

  it("is kept by HAProxy's", function()
    local version = machine.lua_of("haproxy", "5.3")
    if os.getenv "LUA_VERSION" ~= version then return end
    if not machine.has "haproxy" then return pending(machine.absent("haproxy", "apt-get install haproxy")) end
    local folder, port = server.folder(), server.free_ports(1)[1]
    local function write(name, text)
      local file = assert(io.open(folder .. "/" .. name, "w"))
      file:write(text)
      file:close()
    end
    local here = os.getenv "PWD"
    write("check.lua", ([=[
      package.path, package.cpath = "%s/lua/?.lua;%s/spec/?.lua;" .. package.path, "%s/build/%s/?.so;" .. package.cpath
      local make, contract = require("ampersand.transport.haproxy").new, require "support.contract"
      core.register_service("check", "http", function(applet)
        local problems = contract.check(make, require("ampersand.core").decode [==[%s]==], { cancelled = true })
        applet:set_status(200)
        applet:start_response()
        applet:send(table.concat(problems, "\n") .. "\n")
      end)]=]):format(here, here, here, version, texts()))
    write("haproxy.cfg", ([[
global
  lua-load-per-thread %s/check.lua
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend check
  bind 127.0.0.1:%d
  http-request use-service lua.check
]]):format(folder, port))
    local haproxy = server.start(("haproxy -db -f %s/haproxy.cfg"):format(folder), {
      what = "HAProxy", directory = folder, ready = function() return server.listens(port) end,
    })
    finally(function() haproxy:stop() end) -- luacheck: ignore
    assert.equal("\n", (require("socket.http").request(("http://127.0.0.1:%d/"):format(port))))
  end)

  it("is made for a bare function", function()
    local asked
    local client = double.client(function(req)
      asked = req
      return { status = 200, body = "[]" }
    end)
    assert.same({}, client.installations:list())
    assert.equal("GET", asked.method)
  end)
end)
