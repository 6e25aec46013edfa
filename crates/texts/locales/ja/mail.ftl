## すべてのメール

mail-was-you = お心当たりがある場合
mail-not-you = お心当たりがない場合
mail-nothing-to-do = お手続きは必要ありません。
mail-copy = ボタンが使えない場合は、次のリンクを開いてください。
mail-support = お困りのときはこちらへ：

## 新しいパスワードの申請

mail-reset-subject = { $shop }：新しいパスワードの設定
mail-reset-preview = リンクは1回のみ有効です。有効期限：{ $until }
mail-reset-title = 新しいパスワードの設定
mail-reset-intro = { $shop }のアカウントについて、新しいパスワードの申請を受け付けました。次のリンクから設定してください。
mail-reset-button = 新しいパスワードを設定する
mail-reset-life = リンクは1回のみ有効です。有効時間は{ $life }、期限は{ $until }です。
mail-reset-code = 別の端末で続ける場合は、新しいパスワードを申請したページで次のコードを入力してください。
mail-reset-not-you = お手続きは必要ありません。現在のパスワードは変更されません。
mail-reset-not-me = 自分は申請していません
mail-reset-secret = このメールは誰にも転送しないでください。{ $shop }の担当者がこのメールの内容をお尋ねすることはありません。
mail-reset-why = このメールアドレスに対して{ $shop }の新しいパスワードが申請されたため、お送りしています。

## パスワードの変更

mail-changed-subject = { $shop }：パスワードが変更されました
mail-changed-preview = お心当たりがない場合は、すぐにご対応ください。
mail-changed-title = パスワードが変更されました
mail-changed-intro = { $shop }のアカウントのパスワードが{ $changed }に変更されました。
mail-changed-sessions = ログインしていたすべての端末で、もう一度ログインする必要があります。
mail-changed-not-you = すぐに新しいパスワードを申請し、{ $shop }にお知らせください。メールを第三者に読まれている可能性があるため、メールアカウントのパスワードも変更してください。
mail-changed-button = 新しいパスワードを申請する
mail-changed-why = { $shop }のアカウントの安全に関わるお知らせのため、お送りしています。

## アカウントのないメールアドレスへの申請

mail-none-subject = { $shop }：このメールアドレスのアカウントはありません
mail-none-preview = アカウントのないメールアドレスに、新しいパスワードが申請されました。
mail-none-title = このメールアドレスのアカウントはありません
mail-none-intro = このメールアドレスに対して{ $shop }の新しいパスワードが申請されましたが、登録されているアカウントがありません。
mail-none-was-you = 別のメールアドレスで登録されている可能性があります。そのメールアドレスでもう一度お試しください。
mail-none-button = 別のメールアドレスで試す
mail-none-not-you = お手続きは必要ありません。このメールは削除していただいてかまいません。
mail-none-why = { $shop }の新しいパスワードの申請時にこのメールアドレスが入力されたため、お送りしています。
