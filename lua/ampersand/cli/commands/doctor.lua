--- `ampersand doctor`: everything a first call needs, one line each, with what to do where it is not in order.

local config = require "ampersand.cli.config"
local core = require "ampersand.core"
local exit = require "ampersand.cli.exit"
local stdout = require "ampersand.cli.stdout"
local time = require "ampersand.time"

local WORST_CLOCK = 120 -- seconds; tokens and webhooks allow five minutes

local Visit = {}
Visit.__index = Visit

local MARKS = { ok = { "ok", "green" }, warn = { "!!", "yellow" }, bad = { "NO", "red" } }

-- One finding, true unless it is "bad": the worst of these decides the exit code.
function Visit:find(level, what, words, fix, code)
  local mark = MARKS[level]
  stdout.write(("%s  %-12s %s\n"):format(self.ctx:paint(mark[1], mark[2]), what, words))
  if fix then stdout.write(("    %-12s fix: %s\n"):format("", fix)) end
  stdout.flush()
  if level == "bad" then self.code = math.max(self.code, code or exit.FAILURE) end
  self.warned = self.warned or level == "warn"
  return level ~= "bad"
end

function Visit:module(name, level, needs)
  local ok, why = pcall(require, name)
  if ok then return self:find("ok", "library", name .. " loads") end
  self:find(level, "library", ("%s does not load: %s"):format(name, tostring(why):match "^[^\n]*"),
    "install " .. needs .. ", then build again")
end

function Visit:versions()
  local lua = rawget(_G, "jit") and jit.version or _VERSION -- luacheck: ignore
  self:find("ok", "version", ("ampersand %s on %s"):format(require("ampersand.version").number, lua))
  self:module("ampersand.http", "bad", "libcurl")
  self:module("ampersand.crypto", "warn", "libcrypto, for webhooks and JWTs")
end

function Visit:configuration()
  local path, profile = config.path(), self.ctx.args.profile
  local open, exists
  if path then open, exists = config.open_to_others(path) end
  if open then
    return self:find("bad", "config", ("%s is open to others (%s)"):format(path, open), "chmod 600 " .. path)
  end
  local ok, raised = pcall(config.settle, {}, profile)
  if not ok then
    local _, why = exit.explain(raised)
    return self:find("bad", "config", why, "see: ampersand config profiles, ampersand config --help")
  end
  return self:find("ok", "config", exists and ("%s, profile %s"):format(path, config.profile(profile))
    or ("no file%s; flags and the environment do"):format(path and " " .. path or ""))
end

-- Whether there is an address to ask at all.
function Visit:url()
  local url, source = self.ctx:settings().base_url, self.ctx.sources.url
  local why = url and config.check_url(url)
  if not why then return true end
  local fix = "give the API's root, such as https://api.withampersand.com, or none"
  if source:find "^profile" then fix = fix .. ": ampersand config unset url" end
  return self:find("bad", "url", ("%s (from %s)"):format(why, source), fix)
end

-- The length shows a truncated copy; no letter of the key is printed.
function Visit:key()
  local values, sources = self.ctx:settings(), self.ctx.sources
  local key = values.api_key
  local words = key and ("%d characters (from %s)"):format(#key, sources.key)
  if not key then
    self:find(values.bearer and "warn" or "bad", "key", "no API key",
      "export AMP_API_KEY=…, or: ampersand config set key -", exit.AUTH)
  elseif key:find "%s" then
    self:find("bad", "key", words .. " has a blank in it", "copy it again")
  else
    self:find("ok", "key", words)
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
  protocol = "check --url: something else answers there",
}

-- Of what TLS says, where the cause is not the authorities.
local TLS_FIXES = {
  ["has expired"] = "renew the server's certificate, or set this machine's clock",
  ["subject name"] = "use the name that the certificate is for: --url",
  ["wrong version number"] = "check --url: no TLS is spoken at that port",
}

local function fix_of(err)
  for words, fix in pairs(err.kind == "tls" and TLS_FIXES or {}) do
    if tostring(err.message):find(words, 1, true) then return fix end
  end
  return FIXES[err.kind] or "try again; see --debug"
end

function Visit:clock(headers)
  local server = headers.date and time.parse_http_date(headers.date)
  if not server then return self:find("warn", "clock", "the server sends no Date") end
  local skew = core.time() - server
  if math.abs(skew) <= WORST_CLOCK then
    return self:find("ok", "clock", ("within %.0f s of the server's"):format(math.max(math.abs(skew), 1)))
  end
  local words = ("this clock is %.0f s %s the server's"):format(math.abs(skew), skew > 0 and "ahead of" or "behind")
  self:find("bad", "clock", words, "set it, for example: timedatectl set-ntp true")
end

-- The catalogue of providers needs no key: what fails here is the way to the server.
function Visit:network()
  local client, started = self.ctx:client(), core.now()
  local provider, info = client:call("getProvider", { provider = "hubspot" }, { retry = false })
  local reached = provider or info.kind == "status" and info.status ~= 404 and info.status < 500
  local url = client:_option "base_url"
  if not reached then
    return self:find("bad", "network", tostring(info.message), fix_of(info),
      info.kind == "timeout" and exit.TIMEOUT or nil)
  end
  self:find("ok", "network", ("%s answers in %.0f ms"):format(url, (core.now() - started) * 1000))
  if url:match "^https" then self:find("ok", "certificate", "the server's is trusted") end
  if info.headers then self:clock(info.headers) end
  return true
end

-- Asks for one thing and says what its failure means.
function Visit:ask(what, id, fix)
  local value, err = self.ctx:client():call(id, {}, { retry = false })
  if value ~= nil then
    return self:find("ok", what, what == "access" and "the server takes the key" or "the server knows it")
  end
  if err.status ~= 401 and err.status ~= 403 then return self:find("bad", what, err.message, fix) end
  return self:find("bad", "access", err.message,
    "make a key for this project in the dashboard: ampersand config set key -", exit.AUTH)
end

function Visit:access()
  local values = self.ctx:settings()
  if not (values.api_key or values.bearer) then return end
  if not values.project then return self:ask("access", "listProjects") end
  if self:ask("project", "getProject", "see: ampersand projects list") and values.integration then
    self:ask("integration", "getIntegration", "see: ampersand integrations list")
  end
end

return {
  epilog = "Example:\n  ampersand doctor --profile prod",
  run = function(ctx)
    local visit = setmetatable({ ctx = ctx, code = exit.OK }, Visit)
    visit:versions()
    if visit:configuration() then
      visit:key()
      if visit:url() and visit:network() then visit:access() end
    end
    if visit.code ~= exit.OK then exit.with(visit.code, "something is to be fixed first, see above") end
    ctx:note(visit.warned and "it works; see what is marked !!"
      or "no problems found; try: ampersand installations list")
  end,
}
