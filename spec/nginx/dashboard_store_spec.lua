local json = require "ampersand.json"
local nginx = require "support.openresty"

if nginx.unable(pending) then return end

-- Installations whose names hold what JSON text may write, but not every encoder: a zero byte.
local ORIGIN = [==[
  location /v1/ {
    content_by_lua_block {
      ngx.header["Content-Type"] = "application/json"
      ngx.print([=[[
        {"id":"i-1","integrationId":"i","healthStatus":"healthy",
         "updateTime":"2026-01-02T01:30:00.5+02:00","group":{"groupRef":"one","groupName":"Plain"},
         "connection":{"status":"working","provider":"hubspot"}},
        {"id":"i-2","integrationId":"i","healthStatus":"unhealthy","group":{"groupRef":"two","groupName":"Zero\u0000Byte"},
         "connection":{"status":"working","provider":"hubspot"}}]]=])
    }
  }
]==]

-- Starts the dashboard with a list of two installations; `refresh` is DASHBOARD_REFRESH.
local function start(refresh)
  return nginx.start {
    lua_path = ";examples/openresty/dashboard/?.lua", main = "env AMPERSAND_PROJECT_ID; env DASHBOARD_REFRESH;",
    env = { AMPERSAND_PROJECT_ID = "p", DASHBOARD_REFRESH = refresh }, origin = ORIGIN,
    http = [[
      lua_shared_dict dashboard {{size}};
      init_by_lua_block {
        dashboard = require("dashboard").new(require("ampersand").new {
          base_url = "http://127.0.0.1:{{upstream}}/v1", api_key = "k", project = "p" })
      }
      init_worker_by_lua_block { dashboard:start() }
    ]],
    server = "location = / { content_by_lua_block { dashboard:page() } }", size = "1m",
  }
end

describe("the dashboard's store", function()
  local server

  lazy_setup(function() server = start() end)
  lazy_teardown(function()
    if server then server:stop() end
  end)

  it("holds every customer, whatever bytes a name has", function()
    local page
    assert.is_true(nginx.await(5, function()
      page = select(2, server:ask "/")
      return page:find("2 of 2", 1, true) ~= nil
    end), page .. server:log())
    assert.truthy(page:find("Plain", 1, true))
    assert.truthy(page:find "Zero[^<]-Byte")
  end)

  it("shows every time in UTC, whatever its offset", function()
    local page = select(2, server:ask "/?q=plain")
    assert.truthy(page:find('<time datetime="2026-01-01T23:30:00.500Z"><span>2026-01-01</span> <span>23:30 UTC</span></time>', 1, true))
  end)

  it("answers any number of a page, and any length of a text", function()
    for _, text in ipairs { "1e308", "-1", "nan", "inf", "0x7fffffff", ("9"):rep(400), "1&page=2", "%00" } do
      local status, page = server:ask("/?page=" .. text)
      assert.equal(200, status, text)
      assert.truthy(page:find("page 1 of 1", 1, true), text)
    end
    for length = 196, 204 do -- cut between two bytes of a character, it would not be UTF-8 any more
      local page = select(2, server:ask("/?q=" .. ("a"):rep(length) .. ("%C3%BC"):rep(8)))
      assert.is_string(json.decode('"' .. page:match 'name="q" value="([^"]*)"' .. '"'))
    end
  end)

  it("refuses an interval between two refreshes that is not a time", function()
    for _, refresh in ipairs { "0", "-1", "soon", "nan", "inf" } do
      local ok, why = pcall(start, refresh)
      if ok then why:stop() end
      assert.is_false(ok, refresh)
      local words = ("DASHBOARD_REFRESH must be a positive number of seconds, got %q"):format(refresh)
      assert.truthy(tostring(why):find(words, 1, true), tostring(why))
    end
  end)
end)
