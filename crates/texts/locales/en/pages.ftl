# All pages

pages-error = Error:
pages-again = Try again
pages-support = Need help?
pages-language = Language:

pages-forgot-title = Forgot your password?
pages-forgot-intro = Please enter the email address of your account at { $shop }. We will send you a link to choose a new password.
pages-forgot-email = Email address
pages-forgot-missing = Please enter your email address.
pages-forgot-invalid = Please enter the email address in the form name@example.com.
pages-forgot-submit = Send link
pages-forgot-login = Back to log in

pages-sent-title = Check your email
pages-sent-intro = If there is an account at { $shop } with this address, you will receive an email with a link in a few minutes.
pages-sent-life = The link works once and is valid for { $life }.
pages-sent-nothing = Nothing there? Please look in the spam folder too, and check whether you entered the address of your account.
pages-sent-again = Enter the address again

pages-code-intro = Are you reading the email on another device? Then enter the code from it here.
pages-code-label = Code from the email
pages-code-hint = 8 letters and digits. Upper and lower case make no difference.
pages-code-wrong = The code is not valid. Please check it, or use the link in the email.
pages-code-submit = Continue

pages-reset-title = Choose a new password
pages-reset-account = For the account { $email }
pages-reset-password = New password
pages-reset-show = Show password
pages-reset-submit = Set password
pages-reset-missing = Please enter a new password.
pages-reset-too-long = The password is too long. Please use at most { $count } characters.
pages-reset-unusable = The password contains a character that cannot be used.

pages-done-title = Your password was changed
pages-done-now = You can now log in with your new password.
pages-done-sessions = You will need to log in again on all your devices.
pages-done-login = Log in

pages-lost-title = Please open the link again
pages-lost-why = This page needs the whole link from the email. Please click it there, or copy it completely.
pages-lost-cookies = Do you keep seeing this page? Then please allow cookies for it, or open the link in another browser.

pages-dead-title = This link no longer works
pages-dead-why = It was used, disabled or replaced by a newer one, or it has expired.
pages-dead-used = Have you just chosen a new password? Then you can log in with it.
pages-dead-again = Request a new link
pages-dead-elsewhere = If not, please request a new password where you log in.

pages-foreign-title = Please send the form again
pages-foreign-why = This form did not come from our page. For your safety, nothing was changed.

pages-busy-title = Please try again in a moment
pages-busy-why = We are very busy right now. Nothing was changed.

pages-too-many-title = Please try again in a minute
pages-too-many-why = Too many forms were sent from your connection. Nothing was changed.

pages-not-found-title = There is no page here
pages-not-found-what = Perhaps the address was not copied completely. If you need a new password, please request it where you log in.

pages-failed-title = Something went wrong
pages-failed-what = Nothing was changed. Please try again later.

pages-not-me-title = You did not request a new password?
pages-not-me-intro = A new password was requested for your account at { $shop }. If this wasn’t you, you can disable the link in the email here.
pages-not-me-effect = The link will then stop working at once. Your password stays as it is.
pages-not-me-cooldown = After that, nobody can request a new password on this page for a while: { $span }.
pages-not-me-submit = Disable the link

pages-disavowed-title = The link no longer works
pages-disavowed-what = Your password was not changed. There is nothing else to do.

pages-misused-title = The link was already used
pages-misused-what = Your password at { $shop } was changed with it.
pages-misused-now = If this wasn’t you, please request a new password right away. Also change the password of your email account: somebody may be reading your emails.
pages-misused-again = Request a new password

pages-restore-title = Undo the change of your email address?
pages-restore-intro = The email address of your account at { $shop } was changed. If this wasn’t you, you can undo that here.
pages-restore-effect = Your account gets back the address to which we sent the link. Its password stops working, all devices are logged out, and you receive an email with a link to choose a new password.
pages-restore-submit = Undo the change
pages-restored-title = Your email address was restored
pages-restored-what = Your old password no longer works. In a few minutes you will receive an email with a link to choose a new one.
pages-unrestorable-why = It has expired, or the change was undone in another way. If somebody else is using your account, please let { $shop } know.
