-- Other JSON libraries: dkjson where it is installed, and what RIVALS names ("rapidjson,simdjson,cjson") on RIVAL_PATH
-- and RIVAL_CPATH. A cjson found there is another one than the system's.
local rivals = {}

local PATH, CPATH = os.getenv "RIVAL_PATH" or "", os.getenv "RIVAL_CPATH" or ""

--- A C module on RIVAL_CPATH, also when one of that name is loaded already.
local function load_c(name)
  for template in CPATH:gmatch "[^;]+" do
    local path = template:gsub("%?", name)
    local open = package.loadlib(path, "luaopen_" .. name)
    if open then return open(name) end
  end
end

local function load(name)
  local module = load_c(name)
  if module then return module end
  local old = package.path
  package.path = old .. ";" .. PATH
  local found, answer = pcall(require, name)
  package.path = old
  return found and answer or nil
end

--- Those at hand.
---@return { name: string, decode: (fun(text: string): any), encode: (fun(value: any): string)? }[]
function rivals.all()
  local list = {}
  for name in ("dkjson," .. (os.getenv "RIVALS" or "")):gmatch "[^,%s]+" do
    local module = load(name)
    if module then
      local shown = name == "cjson" and "cjson on RIVAL_CPATH" or name
      list[#list + 1] = { name = shown, decode = module.decode or module.parse, encode = module.encode }
    elseif name ~= "dkjson" then
      error("RIVALS: no module " .. name)
    end
  end
  return list
end

return rivals
