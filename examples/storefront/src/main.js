// Both pages load this file; each starts its own part.
import { link } from './link.js'
import { startNewPassword } from './new-password.js'
import { startShop } from './shop.js'

if (document.querySelector('#new-password')) startNewPassword(link)
else startShop()
