## All mails

mail-was-you = Was it you?
mail-not-you = It wasn’t you?
mail-nothing-to-do = Then there is nothing to do.
mail-copy = If the button does not work, open this link:
mail-support = Do you need help?

## A new password was asked for

mail-reset-subject = Set a new password for { $shop }
mail-reset-preview = The link works once, until { $until }.
mail-reset-title = Set a new password
mail-reset-intro = A new password was requested for your account at { $shop }. Choose it here:
mail-reset-button = Choose a new password
mail-reset-life = The link works once and is valid for { $life }, until { $until }.
mail-reset-code = Would you like to continue on another device? Enter this code on the page where you requested the new password:
mail-reset-not-you = Then there is nothing to do: your password stays as it is.
mail-reset-not-me = I did not request this
mail-reset-secret = Please do not pass this email on to anybody. Nobody at { $shop } will ever ask you for it.
mail-reset-why = You receive this email because a new password for { $shop } was requested for this address.

## The password was changed

mail-changed-subject = Your password for { $shop } was changed
mail-changed-preview = If it wasn’t you, please act now.
mail-changed-title = Your password was changed
mail-changed-intro = The password of your account at { $shop } was changed on { $changed }.
mail-changed-sessions = Wherever you were logged in, you have to log in again.
mail-changed-not-you = Then request a new password at once and tell { $shop }. Also change the password of your email account: somebody may be reading your emails.
mail-changed-button = Request a new password
mail-changed-why = You receive this email because it concerns the security of your account at { $shop }.

## A new password was asked for, but the address has no account

mail-none-subject = No account at { $shop } with this address
mail-none-preview = A new password was requested for an address without an account.
mail-none-title = There is no account with this address
mail-none-intro = A new password for { $shop } was requested for this address, but there is no account with it.
mail-none-was-you = Then you may have registered with another email address. Please try again with that one.
mail-none-button = Try another address
mail-none-not-you = Then there is nothing to do. You can delete this email.
mail-none-why = You receive this email because somebody entered this address when requesting a new password for { $shop }.
