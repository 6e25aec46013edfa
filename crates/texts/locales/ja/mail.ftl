## すべてのメール

mail-was-you = お心当たりがある場合：
mail-not-you = お心当たりがない場合：
mail-nothing-to-do = お手続きは必要ありません。
mail-requested = リクエスト日時：{ $requested }
mail-copy = ボタンが使えない場合は、次のリンクを開いてください。
mail-support = お困りのときはこちらへ：

## パスワード再設定のリクエスト

mail-reset-subject = { $shop }：パスワードの再設定
mail-reset-preview = リクエスト日時：{ $requested }。リンクは1回のみ有効です。有効期限：{ $until }
mail-reset-title = パスワードの再設定
mail-reset-intro = { $shop }のアカウントについて、パスワード再設定のリクエストを受け付けました。次のリンクから新しいパスワードを設定してください。
mail-reset-button = 新しいパスワードを設定する
mail-reset-life = リンクは1回のみ有効です。有効時間は{ $life }、期限は{ $until }です。
mail-reset-code = 別の端末で続ける場合は、再設定をリクエストしたページで次のコードを入力してください。
mail-reset-not-you = お手続きは必要ありません。現在のパスワードは変更されません。
mail-reset-not-me = リクエストした覚えがありません
mail-reset-secret = このメールは誰にも転送しないでください。{ $shop }の担当者がこのメールの内容をお尋ねすることはありません。
mail-reset-why = このメールアドレスに対して{ $shop }のパスワード再設定がリクエストされたため、お送りしています。

## パスワードの変更

mail-changed-subject = { $shop }：パスワードが変更されました
mail-changed-preview = 変更日時：{ $changed }。お心当たりがない場合は、すぐにご対応ください。
mail-changed-title = パスワードが変更されました
mail-changed-intro = { $shop }のアカウントのパスワードが{ $changed }に変更されました。
mail-changed-sessions = ログインしていたすべての端末で、もう一度ログインする必要があります。
mail-changed-not-you = すぐにパスワードの再設定をリクエストし、{ $shop }にお知らせください。メールを第三者に読まれている可能性があるため、メールアカウントのパスワードも変更してください。
mail-changed-button = パスワードを再設定する
mail-changed-why = { $shop }のアカウントの安全に関わるお知らせのため、お送りしています。

## メールアドレスが変更された

mail-moved-subject = { $shop }：メールアドレスが変更されました
mail-moved-preview = お心当たりがない場合は、{ $until }まで取り消せます。
mail-moved-title = メールアドレスが変更されました
mail-moved-intro = { $shop }のアカウントのメールアドレスが{ $changed }に変更されました。このメールの宛先は、現在のメールアドレスではなくなりました。
mail-moved-not-you = ここで変更を取り消してください。アカウントのメールアドレスがこの宛先に戻り、現在のパスワードは無効になり、すべての端末からログアウトされます。新しいパスワードを設定するためのリンクをお送りします。
mail-moved-button = 変更を取り消す
mail-moved-life = リンクは1回だけ使用でき、{ $until }まで有効です。このメールを誰にも転送しないでください。

## アカウントのないメールアドレスに対するリクエスト

mail-none-subject = { $shop }：このメールアドレスのアカウントはありません
mail-none-preview = リクエスト日時：{ $requested }。アカウントのないメールアドレスに対して、パスワードの再設定がリクエストされました。
mail-none-title = このメールアドレスのアカウントはありません
mail-none-intro = このメールアドレスに対して{ $shop }のパスワード再設定がリクエストされましたが、登録されているアカウントがありません。
mail-none-was-you = 別のメールアドレスで登録されている可能性があります。そのメールアドレスでもう一度お試しください。
mail-none-button = 別のメールアドレスで試す
mail-none-not-you = お手続きは必要ありません。このメールは削除していただいてかまいません。
mail-none-why = { $shop }のパスワード再設定をリクエストする際にこのメールアドレスが入力されたため、お送りしています。
