## All mails

mail-was-you = Was this you?
mail-not-you = Not you?
mail-nothing-to-do = Then there is nothing you need to do.
mail-requested = Requested on { $requested }.
mail-copy = If the button does not work, open this link:
mail-support = Need help?

## A new password was asked for

mail-reset-subject = Set a new password for { $shop }
mail-reset-preview = Requested on { $requested }. The link works once, until { $until }.
mail-reset-title = Set a new password
mail-reset-intro = A new password was requested for your account at { $shop }. You can choose it here:
mail-reset-button = Choose a new password
mail-reset-life = The link works once and is valid for { $life }, until { $until }.
mail-reset-code = Would you like to continue on another device? Enter this code on the page where you requested the new password:
mail-reset-not-you = Then there is nothing you need to do: your password stays as it is.
mail-reset-not-me = I did not request this
mail-reset-secret = Please do not forward this email to anyone. Nobody at { $shop } will ever ask you for it.
mail-reset-why = You are receiving this email because a new password was requested at { $shop } for this address.

## The password was changed

mail-changed-subject = Your password for { $shop } was changed
mail-changed-preview = Changed on { $changed }. If this wasn’t you, please act now.
mail-changed-title = Your password was changed
mail-changed-intro = The password for your account at { $shop } was changed on { $changed }.
mail-changed-sessions = You will need to log in again on all your devices.
mail-changed-not-you = Then request a new password right away and let { $shop } know. Also change the password of your email account: somebody may be reading your emails.
mail-changed-button = Request a new password
mail-changed-why = You are receiving this email because it concerns the security of your account at { $shop }.

## The email address was changed

mail-moved-subject = Your email address for { $shop } was changed
mail-moved-preview = If this wasn’t you, you can undo it until { $until }.
mail-moved-title = Your email address was changed
mail-moved-intro = The email address of your account at { $shop } was changed on { $changed }. It is no longer the one to which we are sending this email.
mail-moved-not-you = Then undo the change here. Your account gets this address back, its password stops working, all devices are logged out, and we send you a link to choose a new password.
mail-moved-button = Undo the change
mail-moved-life = The link works once and is valid until { $until }. Please do not forward this email to anyone.

## A new password was asked for, but the address has no account

mail-none-subject = No account at { $shop } with this address
mail-none-preview = Requested on { $requested }. A new password was requested for an address without an account.
mail-none-title = There is no account with this address
mail-none-intro = A new password was requested at { $shop } for this address, but no account uses it.
mail-none-was-you = Then you may have registered with another email address. Please try again with that one.
mail-none-button = Try another address
mail-none-not-you = Then there is nothing you need to do. You can delete this email.
mail-none-why = You are receiving this email because somebody entered this address when requesting a new password at { $shop }.
