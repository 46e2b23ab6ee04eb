import dump
import lightning
import torch
from lightning.pytorch.loggers import MLFlowLogger

import mlflow


class Line(lightning.LightningModule):
    def __init__(self, rate=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch, _):
        loss = self.layer(batch[0]).pow(2).mean()
        self.log("loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.rate)


lightning.seed_everything(1, verbose=False)
rows = torch.arange(24.0).reshape(12, 2) / 24
logger = MLFlowLogger(
    experiment_name="lines", run_name="first", tracking_uri=mlflow.get_tracking_uri(),
    tags={"team": "x"}, log_model="all",
)  # fmt: skip
trainer = lightning.Trainer(
    max_epochs=3, logger=logger, log_every_n_steps=2, enable_progress_bar=False, accelerator="cpu",
    enable_model_summary=False,
)  # fmt: skip
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(rows), batch_size=4)
trainer.fit(Line(), loader)
dump.say(runs=dump.runs(), name=mlflow.get_run(logger.run_id).info.run_name)
