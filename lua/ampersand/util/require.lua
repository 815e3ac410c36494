--- `require` for what a program loads after its start. It needs no global `require`, and says what to do where the
-- files are gone (chroot, sandbox, upgrade).

local loaded, original = package.loaded, require

---@param name string
---@return table
return function(name)
  local module = loaded[name]
  if module then return module end
  local ok, found = pcall(original, name)
  if ok then return found end
  local words = tostring(found):match "^[^\n]*"
  if not tostring(found):find(("module '%s' not found"):format(name), 1, true) then error(found, 0) end
  error(words .. " a program whose files go away (chroot, sandbox) calls ampersand.load() first", 0)
end
