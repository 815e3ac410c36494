--- `ampersand doctor`: everything a first call needs, one line each, with what to do where it is not in order.

local config = require "ampersand.cli.config"
local core = require "ampersand.core"
local exit = require "ampersand.cli.exit"
local stdout = require "ampersand.cli.stdout"
local time = require "ampersand.time"

local doctor = {
  summary = "Check key, network, certificates, clock and versions; print what to fix.",
  epilog = "Example:\n  ampersand doctor --profile prod",
}

function doctor.declare() end

local WORST_CLOCK = 120 -- seconds; tokens and webhooks allow five minutes

local Visit = {}
Visit.__index = Visit

local MARKS = { ok = { "ok", "green" }, warn = { "!!", "yellow" }, bad = { "NO", "red" } }

-- One finding; "bad" ones decide the exit code.
function Visit:find(level, what, words, fix)
  local mark = MARKS[level]
  stdout.write(("%s  %-12s %s\n"):format(self.ctx:paint(mark[1], mark[2]), what, words))
  if fix then stdout.write(("    %-12s fix: %s\n"):format("", fix)) end
  stdout.flush()
  if level == "bad" then self.code = math.max(self.code, 1) end
  self.warned = self.warned or level == "warn"
end

local function load_module(name)
  local ok, module = pcall(require, name)
  if ok then return module end
  return nil, (tostring(module):match "^[^\n]*" or "")
end

function Visit:versions()
  local lua = rawget(_G, "jit") and jit.version or _VERSION -- luacheck: ignore
  self:find("ok", "version", ("ampersand %s on %s"):format(require("ampersand.version").number, lua))
  self:module("ampersand.http", "bad", "libcurl")
  self:module("ampersand.crypto", "warn", "libcrypto, for webhooks and JWTs")
end

function Visit:module(name, level, needs)
  local module, why = load_module(name)
  if module then return self:find("ok", "library", name .. " loads") end
  self:find(level, "library", ("%s does not load: %s"):format(name, why), "install " .. needs .. ", then build again")
end

function Visit:configuration()
  local path = config.path()
  local permissions = path and config.permissions(path)
  if permissions and permissions:sub(5) ~= "------" then
    self:find("bad", "config", ("%s is open to others (%s)"):format(path, permissions), "chmod 600 " .. path)
    return false
  end
  local settled, why = config.settle({}, self.ctx.args.profile)
  if not settled then
    self:find("bad", "config", why, "see: ampersand config profiles, ampersand config --help")
    return false
  end
  self:find("ok", "config", permissions and ("%s, profile %s"):format(path, config.profile(self.ctx.args.profile))
    or ("no file%s; flags and the environment do"):format(path and " " .. path or ""))
  return true
end

-- Whether there is an address to ask at all.
function Visit:url()
  local values = self.ctx:settings()
  local why = values.base_url and config.check_url(values.base_url)
  if not why then return true end
  local source = self.ctx.sources.url
  local fix = "give the API's root, such as https://api.withampersand.com, or none"
  if source:find "^profile" then fix = fix .. ": ampersand config unset url" end
  self:find("bad", "url", ("%s (from %s)"):format(why, source), fix)
  return false
end

-- The length shows a truncated copy; no letter of it is printed.
local function masked(secret)
  return ("%d characters"):format(#secret)
end

function Visit:key()
  local values, sources = self.ctx:settings(), self.ctx.sources
  local key = values.api_key
  if not key then
    local level = values.bearer and "warn" or "bad"
    self:find(level, "key", "no API key", "export AMP_API_KEY=…, or: ampersand config set key -")
    if level == "bad" then self.code = exit.AUTH end
  elseif key:find "%s" then
    self:find("bad", "key", ("%s (from %s) has a blank in it"):format(masked(key), sources.key), "copy it again")
  else
    self:find("ok", "key", ("%s (from %s)"):format(masked(key), sources.key))
  end
  for _, name in ipairs { "project", "integration" } do
    if values[name] then
      self:find("ok", name, ("%s (from %s)"):format(values[name], sources[name]))
    else
      self:find("warn", name, "none is set", ("ampersand config set %s NAME, or give --%s"):format(name, name))
    end
  end
end

local FIXES = {
  resolve = "check the name in --url, and this machine's DNS",
  connect = "check the network, a firewall, https_proxy",
  tls = "install the system's certificates (ca-certificates), or name yours: --ca-file",
  timeout = "check the network; a firewall may swallow packets",
  status = "check --url: is the API there?",
  decode = "check --url: something else answers there",
}

local function clock_words(seconds)
  return ("this clock is %.0f s %s the server's"):format(math.abs(seconds), seconds > 0 and "ahead of" or "behind")
end

function Visit:clock(headers)
  local server = headers.date and time.parse_http_date(headers.date)
  if not server then return self:find("warn", "clock", "the server sends no Date") end
  local skew = core.time() - server
  if math.abs(skew) > WORST_CLOCK then
    return self:find("bad", "clock", clock_words(skew), "set it, for example: timedatectl set-ntp true")
  end
  self:find("ok", "clock", ("within %.0f s of the server's"):format(math.max(math.abs(skew), 1)))
end

-- The catalogue of providers needs no key: what fails here is the way to the server.
function Visit:network()
  local client, started = self.ctx:client(), core.now()
  local provider, info = client:call("getProvider", { provider = "hubspot" }, { retry = false })
  local reached = provider or info.kind == "status" and info.status ~= 404 and info.status < 500
  local url = client:_option "base_url"
  if not reached then
    if info.kind == "timeout" then self.code = exit.TIMEOUT end
    self:find("bad", "network", tostring(info.message), FIXES[info.kind] or "try again; see --debug")
    return false
  end
  self:find("ok", "network", ("%s answers in %.0f ms"):format(url, (core.now() - started) * 1000))
  if url:match "^https" then self:find("ok", "certificate", "the server's is trusted") end
  if info.headers then self:clock(info.headers) end
  return true
end

-- Asks for one thing and says what its failure means.
function Visit:ask(what, id, params, fix)
  local value, err = self.ctx:client():call(id, params, { retry = false })
  if value ~= nil then
    self:find("ok", what, what == "access" and "the server takes the key" or "the server knows it")
    return value
  end
  if err.status == 401 or err.status == 403 then
    self.code = exit.AUTH
    self:find("bad", "access", err.message, "make a key for this project in the dashboard: ampersand config set key -")
    return nil
  end
  self:find("bad", what, err.message, fix)
end

function Visit:access()
  local values = self.ctx:settings()
  if not (values.api_key or values.bearer) then return end
  if not values.project then return self:ask("access", "listProjects", {}) end
  if not self:ask("project", "getProject", {}, "see: ampersand projects list") then return end
  if values.integration then
    self:ask("integration", "getIntegration", {}, "see: ampersand integrations list")
  end
end

--- Runs all checks; ends with 1, 4 or 5 where something must be fixed.
---@param ctx ampersand.cli.Context
function doctor.run(ctx)
  local visit = setmetatable({ ctx = ctx, code = 0 }, Visit)
  visit:versions()
  if visit:configuration() then
    visit:key()
    if visit:url() and visit:network() then visit:access() end
  end
  if visit.code ~= 0 then exit.with(visit.code, "something is to be fixed first, see above") end
  ctx:note(visit.warned and "it works; see what is marked !!"
    or "no problems found; try: ampersand installations list")
end

return doctor
