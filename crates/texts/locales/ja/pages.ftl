# すべてのページ

pages-error = エラー：
pages-again = もう一度試す
pages-support = お困りのときはこちらへ：
pages-language = 言語：

pages-forgot-title = パスワードをお忘れですか？
pages-forgot-intro = { $shop }のアカウントのメールアドレスを入力してください。新しいパスワードを設定するためのリンクをお送りします。
pages-forgot-email = メールアドレス
pages-forgot-missing = メールアドレスを入力してください。
pages-forgot-invalid = メールアドレスは name@example.com の形式で入力してください。
pages-forgot-submit = リンクを送信する
pages-forgot-login = ログインに戻る

pages-sent-title = メールをご確認ください
pages-sent-intro = このメールアドレスのアカウントが{ $shop }にある場合は、数分以内にリンクを記載したメールが届きます。
pages-sent-life = リンクは1回のみ有効です。有効時間：{ $life }
pages-sent-nothing = メールが届かない場合は、迷惑メールフォルダーもご確認ください。また、アカウントのメールアドレスを入力されたかどうかをお確かめください。
pages-sent-again = メールアドレスを入力し直す

pages-code-intro = メールを別の端末でご覧の場合は、メールに記載されたコードをここに入力してください。
pages-code-label = メールに記載されたコード
pages-code-hint = 8文字の英数字です。大文字と小文字は区別しません。
pages-code-wrong = コードが正しくありません。コードをお確かめになるか、メールのリンクをご利用ください。
pages-code-submit = 続ける

pages-reset-title = 新しいパスワードの設定
pages-reset-account = アカウント：{ $email }
pages-reset-password = 新しいパスワード
pages-reset-show = パスワードを表示する
pages-reset-submit = パスワードを保存する
pages-reset-missing = 新しいパスワードを入力してください。
pages-reset-too-long = パスワードが長すぎます。{ $count }文字以内で入力してください。
pages-reset-unusable = パスワードに使用できない文字が含まれています。

pages-done-title = パスワードが変更されました
pages-done-now = 新しいパスワードでログインできます。
pages-done-sessions = ログインしていたすべての端末で、もう一度ログインする必要があります。
pages-done-login = ログインする

pages-lost-title = リンクをもう一度開いてください
pages-lost-why = このページを表示するには、メールに記載されたリンク全体が必要です。メールのリンクをクリックするか、最後まで正しくコピーしてください。
pages-lost-cookies = このページが繰り返し表示される場合は、このページのCookieを許可するか、別のブラウザーでリンクを開いてください。

pages-dead-title = このリンクは無効になりました
pages-dead-why = すでに使用されたか、無効にされたか、有効期限が切れたか、新しいリンクに置き換えられました。
pages-dead-used = 先ほど新しいパスワードを設定された場合は、そのパスワードでログインできます。
pages-dead-again = 新しいリンクをリクエストする
pages-dead-elsewhere = そうでない場合は、ログインページからパスワードの再設定をリクエストしてください。

pages-foreign-title = フォームをもう一度送信してください
pages-foreign-why = このフォームは当サイトのページから送信されたものではありません。安全のため、何も変更していません。

pages-busy-title = しばらくしてからもう一度お試しください
pages-busy-why = ただいま大変混み合っています。何も変更されていません。

pages-too-many-title = 1分ほどしてからもう一度お試しください
pages-too-many-why = お使いの接続から送信されたフォームが多すぎます。何も変更されていません。

pages-not-found-title = ページが見つかりません
pages-not-found-what = URLの一部が欠けている可能性があります。新しいパスワードが必要な場合は、ログインページから再設定をリクエストしてください。

pages-failed-title = 問題が発生しました
pages-failed-what = 何も変更されていません。しばらくしてからもう一度お試しください。

pages-not-me-title = パスワードの再設定にお心当たりがない場合
pages-not-me-intro = { $shop }のアカウントについて、パスワード再設定のリクエストを受け付けました。お心当たりがない場合は、ここでメールのリンクを無効にできます。
pages-not-me-effect = リンクはすぐに使えなくなります。現在のパスワードは変更されません。
pages-not-me-cooldown = その後しばらくの間は、このページからパスワードの再設定をリクエストできません。期間：{ $span }
pages-not-me-submit = リンクを無効にする

pages-disavowed-title = リンクを無効にしました
pages-disavowed-what = パスワードは変更されていません。ほかに必要なお手続きはありません。

pages-misused-title = リンクはすでに使用されています
pages-misused-what = このリンクで{ $shop }のパスワードが変更されました。
pages-misused-now = お心当たりがない場合は、すぐにパスワードの再設定をリクエストしてください。メールを第三者に読まれている可能性があるため、メールアカウントのパスワードも変更してください。
pages-misused-again = パスワードを再設定する

pages-restore-title = メールアドレスの変更を取り消しますか？
pages-restore-intro = { $shop }のアカウントのメールアドレスが変更されました。お心当たりがない場合は、ここで取り消せます。
pages-restore-effect = アカウントのメールアドレスが、リンクをお送りした宛先に戻ります。現在のパスワードは無効になり、すべての端末からログアウトされます。新しいパスワードを設定するためのリンクをメールでお送りします。
pages-restore-submit = 変更を取り消す
pages-restored-title = メールアドレスを元に戻しました
pages-restored-what = 以前のパスワードは使えなくなりました。新しいパスワードを設定するためのリンクを、数分以内にメールでお送りします。
pages-unrestorable-why = 有効期限が切れたか、変更が別の方法で取り消されました。第三者がアカウントを利用している場合は、{ $shop }にお知らせください。
